import { parseEntry, verifyLog } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestBehest, testBehest } from "../testing.ts";
import { memoryStore } from "../store/memory.ts";
import { type Store, engine as engineOf } from "../store/types.ts";

const TOOLS = { look: { "*": { constraint_type: "wildcard" } } } as const;
let store: Store;
let behest: TestBehest;

beforeEach(async () => {
  store = memoryStore();
  behest = await testBehest({ store });
  for (const person of ["alice", "bob"])
    await behest
      .as(person, TOOLS)
      .then((session) => session.perform({ tool: "look", args: {} }, async () => "seen"));
});
afterEach(() => behest.close());

async function report() {
  const entries = await store[engineOf].entries(0, 1000);
  return verifyLog({ entries, checkpoint: await store[engineOf].checkpoint(), owner: behest.owner });
}

test("each look is in the log, with who looked at whose records", async () => {
  const dora = behest.readingAs("dora@example.com");
  const [mine] = await dora.records({ principal: "alice" });
  expect(await dora.record(mine!.index)).toMatchObject({ principal: "alice" });
  expect(await dora.record(0)).toBeUndefined();
  expect(await behest.readingAs("emil").records()).toHaveLength(2);
  await dora.evidence({ principal: "bob" });
  const looks = (await behest.accesses()).map(({ by, what, principals }) => [by, what, principals]);
  expect(looks.map(([by, what, whom]) => [by, what, [...(whom as string[])].toSorted()])).toEqual([
    ["dora@example.com", "records", ["alice"]],
    ["dora@example.com", "record", ["alice"]],
    ["dora@example.com", "record", []],
    ["emil", "records", ["alice", "bob"]],
    ["dora@example.com", "evidence", ["bob"]],
  ]);
  expect(await report()).toMatchObject({ ok: true, counts: { access: 5 } });
  const said = (await store[engineOf].entries(0, 1000)).map((jws) => parseEntry(jws).payload);
  expect(said.join()).not.toContain("dora@");
});

test("what is not asked to be recorded is not", async () => {
  await behest.records.list();
  expect(await behest.accesses()).toEqual([]);
});

test("what cannot be recorded is not shown", async () => {
  const dora = behest.readingAs("dora@example.com");
  await behest.close();
  await expect(dora.records()).rejects.toMatchObject({ code: "store_failed" });
  await expect(dora.evidence()).rejects.toMatchObject({ code: "store_failed" });
});

test("who looked is kept as long as anything, and erased as anybody", async () => {
  await behest.readingAs("dora@example.com").records();
  const wish = { principal: "dora@example.com", reason: "left" };
  await expect(behest.erase(wish)).rejects.toMatchObject({ code: "retained" });
  await behest.erase({ ...wish, despiteRetention: true });
  expect(await behest.accesses()).toMatchObject([{ by: "(erased)", what: "records" }]);
  expect(await report()).toMatchObject({ ok: true });
  await behest.readingAs("dora@example.com").records();
  expect((await behest.accesses()).map(({ by }) => by)).toEqual(["(erased)", "dora@example.com"]);
});
