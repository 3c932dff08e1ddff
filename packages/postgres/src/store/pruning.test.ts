import { readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { verifyLog } from "@behest/provenance";
import { describe, expect, test } from "vitest";
import type { Session } from "../../../core/src/types.ts";
import { Late } from "../../test/late.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";

const DAY = 86_400_000;
const OLD = 1_600;
const TOOLS = { pay: { "*": { constraint_type: "wildcard" } } } as const;

async function pay(session: Session, times: number): Promise<void> {
  const one = (_: unknown, n: number): Promise<unknown> =>
    session.perform({ tool: "pay", args: { n } }, async () => "paid");
  for (let left = times; left > 0; left -= 64)
    await Promise.all(Array.from({ length: Math.min(64, left) }, one));
}

describe.runIf(server)("pruning on PostgreSQL", () => {
  test("what is truly old goes, several transactions of it, while others write", async () => {
    const late = await Late.behind(url, 200);
    const { clock } = late;
    const store = storeAt(late.url);
    const config = { store, clock, content: "keep", entryKeyLifetime: 400 * 86_400 } as const;
    await using behest = await testBehest(config);
    await pay(await behest.as("alice", TOOLS), OLD);
    // Its delegation has ended for a day by then.
    const then = clock() + 2 * DAY;
    // The server refuses what the process takes for old.
    await expect(behest.prune({ before: then })).rejects.toMatchObject({ code: "retained" });
    await late.now();
    const young = await behest.as("bob", TOOLS);
    let pruned = false;
    const writing = (async () => {
      let written = 0;
      for (; !pruned; written += 8) await pay(young, 8);
      return written;
    })();
    const { counts, indexes } = await behest.prune({ before: then }).finally(() => void (pruned = true));
    const written = await writing;
    expect(counts).toEqual({ delegation: 1, interaction: 0, action: OLD, outcome: OLD });
    expect(indexes.length).toBeGreaterThan(3);
    expect(new Set(indexes).size).toBe(indexes.length);

    const reader = readStore(store);
    const records = await reader.records();
    expect(records).toHaveLength(written);
    const [{ left }] = (await sql<{ left: number }>(
      url,
      "SELECT count(*)::int AS left FROM behest_content c JOIN behest_entry e USING (idx) WHERE e.jws = ''",
    )) as [{ left: number }];
    expect(left).toBe(0);
    const checkpoint = await reader.checkpoint();
    const report = await verifyLog({ entries: reader.log(), whole: true, checkpoint, owner: behest.owner });
    expect(report).toMatchObject({ ok: true, pruned: 2 * OLD + 1 });
  });

  test("a process whose clock is ahead prunes nothing that the server takes for young", async () => {
    const store = storeAt(url);
    const ahead = { days: 0 };
    const clock = (): number => Date.now() + ahead.days * DAY;
    await using behest = await testBehest({ store, clock, entryKeyLifetime: 400 * 86_400 });
    await pay(await behest.as("alice", TOOLS), 2);
    const then = clock() + 1;
    ahead.days = 200;
    await expect(behest.prune({ before: then })).rejects.toMatchObject({ code: "retained" });
    const reader = readStore(store);
    expect(await reader.records()).toHaveLength(2);
  });
});
