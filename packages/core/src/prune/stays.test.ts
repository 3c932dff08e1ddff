import { afterEach, beforeEach, expect, test } from "vitest";
import { Aged, DAY, TOOLS, pay, turn } from "../../test/aged.ts";
import { signDecision } from "../approval/approval.ts";
import { performOrDefer } from "../deferred/deferred.ts";
import { liveOf } from "../session/session.ts";
import { engine as engineOf } from "../store/types.ts";
import type { TestBehest } from "../testing.ts";

let aged: Aged;
let behest: TestBehest;

beforeEach(async () => {
  aged = await Aged.make();
  ({ behest } = aged);
});

afterEach(() => behest.close());

test("what was recorded after something younger stays, whatever it says of its own time", async () => {
  await behest.as("alice", TOOLS);
  aged.later(100);
  await behest.as("bob", TOOLS);
  const young = aged.now;
  aged.now -= 99 * DAY;
  // A clock that was set back dates this before everything else.
  const eve = await behest.as("eve", TOOLS);
  await expect(eve.perform({ tool: "other", args: {} }, async () => 1)).rejects.toThrow();
  await behest.records.list();
  aged.now = young + 190 * DAY;
  const { counts } = await behest.prune({ before: young - DAY });
  expect(counts).toEqual({ delegation: 1, interaction: 0, action: 0, outcome: 0 });
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 1 });
});

test("delegations that may still act stay with those above them, and what they stand on", async () => {
  await behest.trust(await behest.nextTrust({ retention: 10 }));
  const dora = await aged.open("dora", "90d");
  const child = await dora.delegate({ tools: TOOLS, expiresIn: "1h" });
  await pay(child);
  const grandchild = await dora.delegate({ tools: TOOLS });
  await pay(grandchild);
  aged.later(20);
  const { counts } = await behest.prune({ before: aged.now - 11 * DAY });
  // The child that is over, and what both did; its parent and its sibling live.
  expect(counts).toEqual({ delegation: 1, interaction: 0, action: 2, outcome: 2 });
  await pay(grandchild);
  await pay(dora);
  expect(await aged.report()).toMatchObject({ ok: true, counts: { delegation: 2, action: 2 } });
});

test("what runs, and what nobody knows the end of, stays with all that it links to", async () => {
  const alice = await behest.as("alice", TOOLS);
  await turn(alice, ["slow"]);
  const ends = Promise.withResolvers<string>();
  const call = { tool: "pay", args: {}, callId: "slow", turn: "t1" };
  const slow = performOrDefer(liveOf(alice)!, call, () => ends.promise);
  await expect.poll(async () => (await behest.records.list()).length).toBe(1);
  aged.later();
  expect(await behest.prune(aged.allOld)).toMatchObject({ indexes: [] });
  ends.resolve("done");
  await slow.catch(() => {});
  expect(await aged.report()).toMatchObject({ ok: true, counts: { action: 1, outcome: 1 }, pruned: 0 });
});

test("under a hold nothing of a principal goes; of everybody, nothing at all", async () => {
  const [alice, bob] = [await behest.as("alice", TOOLS), await behest.as("bob", TOOLS)];
  for (const session of [alice, bob]) {
    await turn(session);
    await pay(session);
  }
  const hold = await behest.holds.place({ principal: "alice", reason: "case 1" });
  aged.later();
  const all = await behest.holds.place({ reason: "case 2" });
  await expect(behest.prune(aged.allOld)).rejects.toMatchObject({ code: "on_hold" });
  await behest.holds.release(all.index, { reason: "r" });
  const rest = { delegation: 1, interaction: 1, action: 1, outcome: 1 };
  expect(await behest.prune(aged.allOld)).toMatchObject({ counts: rest });
  expect((await behest.records.list()).map(({ principal }) => principal)).toEqual(["alice"]);
  await behest.holds.release(hold.index, { reason: "r" });
  expect(await behest.prune(aged.allOld)).toMatchObject({ counts: rest });
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 8, counts: { erasure: 4 } });
});

test("a hold that is placed while it is pruned keeps what has not gone", async () => {
  const alice = await behest.as("alice", TOOLS);
  await pay(alice);
  aged.later();
  const engine = aged.store[engineOf];
  const { prune } = engine;
  let placed: unknown;
  engine.prune = async (request) => {
    placed ??= await behest.holds.place({ principal: "alice", reason: "case 1" });
    return prune.call(engine, request);
  };
  expect(await behest.prune(aged.allOld)).toMatchObject({ indexes: [] });
  expect(await aged.report()).toMatchObject({ ok: true, pruned: 0, counts: { action: 1 } });
});

test("what persons were asked and have decided stays, and so does a denial", async () => {
  // Persons sign by a clock of their own.
  const judged = await Aged.make({ policy: "default" }, Date.now());
  const strict = judged.behest;
  const run = { run: "chat-1" };
  const alice = await strict.as("alice", TOOLS, run);
  const decide = async (callId: string, decision: "approve" | "deny"): Promise<void> => {
    await expect(pay(alice, callId)).rejects.toMatchObject({ code: "approval_needed" });
    const waiting = (await strict.approvals.list()).at(-1)!;
    await strict.approvals.submit(
      waiting.id,
      await signDecision(waiting, { decision }, strict.approver("approvers")),
    );
  };
  await decide("1", "approve");
  await pay(alice, "1");
  await decide("2", "deny");
  await expect(pay(alice, "3")).rejects.toMatchObject({ code: "approval_needed" });
  judged.later();
  const done = await strict.prune(judged.allOld);
  // The payment that was approved: what it rested on stays, and cannot be used again.
  expect(done.counts).toEqual({ delegation: 0, interaction: 0, action: 1, outcome: 1 });
  const again = await strict.as("alice", TOOLS, run);
  for (const callId of ["1", "2", "3"]) await expect(pay(again, callId)).rejects.toThrow();
  expect(await judged.report()).toMatchObject({ ok: true, counts: { approval: 2 } });
  await strict.close();
});

test("trust, revocations, erasures and accesses stay; what was erased may go as well", async () => {
  const alice = await behest.as("alice", TOOLS);
  await pay(alice);
  const dora = behest.readingAs("dora");
  await dora.records();
  await behest.erase({ principal: "alice", reason: "asked", despiteRetention: true });
  aged.later();
  expect(await behest.prune(aged.allOld)).toMatchObject({
    counts: { delegation: 1, interaction: 0, action: 1, outcome: 1 },
  });
  const found = await aged.report();
  expect(found).toMatchObject({ ok: true, counts: { trust: 1, erasure: 1, access: 1, pruning: 1 } });
  expect(await behest.accesses()).toMatchObject([{ by: "dora" }]);
});
