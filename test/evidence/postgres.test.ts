// Evidence out of a store on PostgreSQL is the same as out of any other.
import { readStore, signCut, signDecision } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { verifyEvidence } from "@behest/evidence";
import { postgresStore } from "@behest/postgres";
import { readBundle } from "@behest/provenance";
import { afterAll, expect, test } from "vitest";
import { postgresServer } from "../../packages/postgres/test/server.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());
const any = { "*": { constraint_type: "wildcard" } };

test.runIf(server)(
  "a part of a log on PostgreSQL is exported, and proven with everything that it rests on",
  async () => {
    const url = await server!.url();
    const store = postgresStore(url);
    await using behest = await testBehest({
      store,
      content: "keep",
      policy: "default",
      profiles: { look: { effect: "read", boundary: "inside", control: ["at"] } } as never,
    });
    const alice = await behest.as("alice", { look: any, pay: any }, { run: "r" });
    const bob = await behest.as("bob", { look: any });
    for (let at = 0; at < 20; at++) await bob.perform({ tool: "look", args: { at } }, async () => "seen");
    const pay = (): Promise<unknown> =>
      alice.perform({ tool: "pay", args: { to: "bob" }, callId: "p" }, async () => "paid").catch(() => {});
    await pay();
    for (const waiting of await behest.approvals.list())
      await behest.approvals.submit(
        waiting.id,
        await signDecision(waiting, { decision: "approve" }, behest.approver(waiting.group)),
      );
    await pay();
    await behest.revoke(await signCut({ principal: "alice" }, { reason: "test" }, behest.revoker));

    const reader = readStore(postgresStore(url));
    const [found] = await reader.records({ argument: { name: "at", value: 7 } });
    expect(found).toMatchObject({ principal: "bob", tool: "look", outcome: "done" });
    for (const [filter, hidden] of [
      [{}, false],
      [{ principal: "alice" }, true],
    ] as const) {
      const bundle = readBundle(JSON.stringify(await reader.evidence(filter)));
      const report = await verifyEvidence(bundle, { owner: behest.owner });
      expect(report.ok).toBe(true);
      expect(report.log.hidden > 0).toBe(hidden);
      expect(report.records.at(-1)?.states).toMatchObject({
        entry: "proven",
        authority: "proven",
        grant: "proven",
        policy: "proven",
        outcome: "proven",
      });
    }
    const erased = await behest.erase({ principal: "bob", reason: "test", despiteRetention: true });
    expect(erased.early).toBe(true);
    const after = await verifyEvidence(await reader.evidence(), { owner: behest.owner });
    expect(after).toMatchObject({ ok: true });
    expect(after.findings.some(({ state }) => state === "erased")).toBe(true);
    expect(await reader.records({ argument: { name: "at", value: 7 } })).toEqual([]);
    await reader.close();
  },
);
