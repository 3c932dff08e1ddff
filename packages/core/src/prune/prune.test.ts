import { parseCheckpoint, verifyLog } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Aged, DAY, TOOLS, pay, turn } from "../../test/aged.ts";
import { readStore } from "../record/reader.ts";
import { engine as engineOf } from "../store/types.ts";
import type { TestBehest } from "../testing.ts";
import type { Session } from "../types.ts";

let aged: Aged;
let behest: TestBehest;

beforeEach(async () => {
  aged = await Aged.make();
  ({ behest } = aged);
});

afterEach(() => behest.close());

test("what is over goes, every proof still verifies, and the log says so", async () => {
  const alice = await behest.as("alice", TOOLS);
  await turn(alice);
  await pay(alice);
  await expect(alice.perform({ tool: "other", args: {} }, async () => 1)).rejects.toMatchObject({
    code: "tool_not_granted",
  });
  await behest.records.list();
  const before = await aged.size();
  aged.later();
  const bob = await behest.as("bob", TOOLS);
  await pay(bob);
  const done = await behest.prune(aged.allOld);
  expect(done).toEqual({
    counts: { delegation: 1, interaction: 1, action: 2, outcome: 1 },
    indexes: [before + 3],
    remains: [],
  });
  const found = await aged.report();
  expect(found).toMatchObject({
    ok: true,
    hidden: 5,
    pruned: 5,
    counts: { trust: 1, action: 1, pruning: 1 },
  });
  expect(found.findings.map(({ state, code }) => `${state} ${code}`)).toContain("pruned entries_pruned");
  expect((await behest.records.list()).map(({ principal }) => principal)).toEqual(["bob"]);
  expect(await behest.records.get(2)).toBeUndefined();
  expect(await behest.records.get(before + 1)).toMatchObject({ content: { args: { n: 1 } } });
  await pay(bob);
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 5 });
  expect(await behest.prune(aged.allOld)).toMatchObject({ indexes: [], counts: { action: 0 } });
});

test("a head that somebody kept before is still compared, wherever it lies", async () => {
  const alice = await behest.as("alice", TOOLS);
  const head = async () => parseCheckpoint(await readStore(aged.store).checkpoint());
  const heads = [];
  for (let n = 0; n < 5; n++) {
    await pay(alice);
    heads.push(await head());
  }
  aged.later();
  await behest.prune(aged.allOld);
  const reader = readStore(aged.store);
  const [checkpoint, owner] = [await reader.checkpoint(), behest.owner];
  const sizes = heads.map(({ size }) => size);
  const found = await verifyLog({ entries: reader.log(sizes), whole: true, checkpoint, owner, heads });
  expect(found).toMatchObject({ ok: true, pruned: 11, completeness: expect.stringContaining("up to 12:") });
  const other = { ...heads[1]!, root: heads[2]!.root };
  const forged = await verifyLog({ entries: reader.log(sizes), checkpoint, owner, heads: [other] });
  expect(forged.findings.map(({ code }) => code)).toContain("head_mismatch");
});

test("a dry run counts the same, and changes nothing", async () => {
  await pay(await behest.as("alice", TOOLS));
  const before = await aged.size();
  aged.later();
  const dry = await behest.prune({ ...aged.allOld, dryRun: true });
  expect(dry).toEqual({
    counts: { delegation: 1, interaction: 0, action: 1, outcome: 1 },
    indexes: [],
    remains: [],
  });
  expect(await aged.size()).toBe(before);
  expect(await behest.prune(aged.allOld)).toMatchObject({ counts: dry.counts });
});

test("what is kept by law is not pruned, and it is said from when on it may be", async () => {
  await pay(await behest.as("alice", TOOLS));
  const recorded = aged.now;
  aged.later(184);
  const error = await behest.prune({ before: recorded + 1 }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({
    code: "retained",
    message: expect.stringContaining("2026-07-05T00:00:00.001Z"),
  });
  aged.later(1.1);
  expect(await behest.prune({ before: recorded + 1 })).toMatchObject({ counts: { action: 1 } });
});

test("an action that was pruned never runs again, and is told as it ended", async () => {
  const open = () => aged.open("alice", "1h", { run: "chat-7" });
  let ran = 0;
  const act = async (session: Session, tool: "pay" | "read") =>
    session.perform({ tool, args: {}, callId: tool }, async () => {
      ran++;
      throw new Error("no");
    });
  const alice = await open();
  await act(alice, "pay").catch(() => {});
  await act(alice, "read").catch(() => {});
  expect(ran).toBe(2);
  aged.later();
  await behest.prune(aged.allOld);
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 5 });
  const again = await open();
  for (const tool of ["pay", "read"] as const) await act(again, tool).catch(() => {});
  expect(ran).toBe(2);
  expect(await aged.report()).toMatchObject({ ok: true });
});

test("whoever goes on under a delegation that was pruned writes nothing", async () => {
  const alice = await behest.as("alice", TOOLS);
  await pay(alice);
  aged.later();
  await behest.prune(aged.allOld);
  const before = await aged.size();
  await expect(pay(alice)).rejects.toMatchObject({ code: "delegation_expired" });
  await expect(alice.delegate({ tools: TOOLS })).rejects.toThrow();
  await behest.records.list();
  expect(await aged.size()).toBe(before);
  aged.now -= 190 * DAY;
  // With the clock set back it looks alive here; the store knows better.
  await expect(pay(alice)).rejects.toThrow();
  await behest.records.list();
  expect(await aged.size()).toBe(before);
  expect(await aged.report()).toMatchObject({ ok: true });
});

test("whoever was pruned can be erased", async () => {
  await pay(await behest.as("alice", TOOLS));
  aged.later();
  await behest.prune(aged.allOld);
  expect(await behest.erase({ principal: "alice", reason: "asked" })).toMatchObject({ early: false });
  expect(await aged.report()).toMatchObject({ ok: true });
});

test("an old entry that was edited is not pruned but found", async () => {
  const alice = await behest.as("alice", TOOLS);
  await pay(alice);
  await pay(alice);
  aged.later();
  const engine = aged.store[engineOf];
  const { entries } = engine;
  engine.entries = async (from, limit) => {
    const page = [...(await entries.call(engine, from, limit))];
    // What the first has done stands in the place of its delegation, too.
    if (from <= 1 && page.length > 2) page[1 - from] = page[3 - from]!;
    return page;
  };
  await expect(behest.prune(aged.allOld)).rejects.toMatchObject({ code: "store_mismatch" });
  engine.entries = entries;
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 0 });
});

test("the entry key and the manifest may change meanwhile; what the next one keeps longer stays", async () => {
  await pay(await behest.as("alice", TOOLS));
  aged.later();
  const engine = aged.store[engineOf];
  const { prune } = engine;
  const versions = [await behest.nextTrust({})];
  versions.push(await behest.nextTrust({ retention: 400 }, versions[0]));
  engine.prune = async (request) => {
    const version = versions.shift();
    if (version !== undefined) await behest.trust(version);
    return prune.call(engine, request);
  };
  expect(await behest.prune(aged.allOld)).toMatchObject({ counts: { action: 1, outcome: 1, delegation: 1 } });
  await pay(await behest.as("bob", TOOLS));
  aged.later();
  // It was asked for when it might have gone.
  await expect(behest.prune(aged.allOld)).rejects.toMatchObject({ code: "retained" });
  expect(versions).toEqual([]);
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 3, counts: { action: 1, pruning: 1 } });
});

test("evidence of a time that was pruned says so, and what is kept is proven", async () => {
  await pay(await behest.as("alice", TOOLS));
  const then = aged.now;
  aged.later();
  await pay(await behest.as("bob", TOOLS));
  await behest.prune(aged.allOld);
  for (const filter of [{}, { since: then - DAY, until: then + DAY }, { principal: "bob" }]) {
    const bundle = await readStore(aged.store).evidence(filter);
    const found = await verifyLog({
      entries: bundle.log,
      checkpoint: bundle.checkpoint,
      owner: behest.owner,
    });
    expect(found).toMatchObject({ ok: true, pruned: 3, counts: { pruning: 1 } });
  }
});
