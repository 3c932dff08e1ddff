import { expect, test } from "vitest";
import { deferring, tools } from "../../test/deferring.ts";
import { MOST_DEFERRED } from "../approval/ask.ts";
import { callTool, comeOf, openTurn, pending, spawn, waitingIn } from "../adapter.ts";
import type { Session } from "../types.ts";

const receipt = { name: "BehestDeferred", code: "approval_deferred", deferred: { tool: "pay" } };

/** The outcomes of all that was deferred, in the order of asking. */
const outcomes = (session: Session) => Promise.all(session.deferred().map(({ outcome }) => outcome));

test("what has to be approved is answered with a receipt, done once approved, and told", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const session = await open();
  const first = await pay(session);
  expect(first).toMatchObject(receipt);
  const [asked, ...others] = await behest.approvals.list();
  expect(others).toEqual([]);
  expect(asked).not.toHaveProperty("deferred");
  expect(first.message).toContain(`Receipt: ${asked!.id.slice(0, 12)}.`);
  expect(first.message).not.toContain(asked!.id);
  const [one] = session.deferred();
  expect(one).toMatchObject({ approval: asked!.id, tool: "pay", receipt: asked!.id.slice(0, 12) });
  // Nothing waits with the call: no run pauses for it.
  expect(waitingIn(session)).toEqual([]);
  expect(paid).toEqual([]);
  await decide();
  expect(await one!.outcome).toEqual({ outcome: "done", value: "paid 1" });
  expect(paid).toEqual([{ amount: 5 }]);
  // Whenever the call is made again it is answered as it was.
  for (const again of [session, await open(), await open({ waiting: "pause" })])
    expect((await pay(again)).message).toBe(first.message);
  expect(paid).toHaveLength(1);
  const records = await behest.records.list();
  expect(records.map(({ verdict, outcome }) => [verdict, outcome])).toEqual([
    ["ask", undefined],
    ["permit", "done"],
  ]);
  const { entries } = (await behest.records.get(records[1]!.index))!;
  expect(entries.approvals).toHaveLength(1);
  await behest.close();
});

test("what a person denies is not done, and told as it would have been", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const session = await open();
  await pay(session);
  await decide("deny");
  expect(await outcomes(session)).toMatchObject([
    { outcome: "refused", code: "approval_denied", error: { name: "BehestDenied" } },
  ]);
  expect(await pay(session)).toMatchObject(receipt);
  expect(paid).toEqual([]);
  expect((await behest.records.list()).map(({ verdict }) => verdict)).toEqual(["ask", "deny"]);
  await behest.close();
});

test("what nobody approves in time, or before its delegation ends, is not done", async () => {
  for (const [hours, code] of [
    [25, "approval_denied"],
    [49, "delegation_expired"],
  ] as const) {
    let now = Date.now();
    const { behest, open, pay, paid } = await deferring({ clock: () => now });
    const session = await open();
    await pay(session);
    now += hours * 3_600_000;
    expect(await outcomes(session)).toMatchObject([{ outcome: "refused", code }]);
    expect(paid).toEqual([]);
    await behest.close();
  }
});

test("the same arguments in another call are another action, which is asked for anew", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const session = await open();
  const first = await pay(session);
  await decide();
  await outcomes(session);
  const second = await pay(session, { callId: "2" });
  expect(second).toMatchObject(receipt);
  expect(second.deferred).not.toEqual(first.deferred);
  expect(await behest.approvals.list()).toMatchObject([{ id: second.deferred!.approval }]);
  expect(paid).toHaveLength(1);
  await behest.close();
});

test("a model that goes on asking is stopped; what it was told before it is told again", async () => {
  const { behest, open, pay } = await deferring();
  const session = await open();
  const told: string[] = [];
  for (let i = 0; i < MOST_DEFERRED; i++) told.push((await pay(session, { callId: `${i}` })).message);
  const more = () => pay(session, { callId: "more" });
  expect(await more()).toMatchObject({ name: "BehestDenied", code: "approval_needed", waiting: undefined });
  expect(await behest.approvals.list()).toHaveLength(MOST_DEFERRED);
  expect((await pay(await open(), { callId: "7" })).message).toBe(told[7]);
  await behest.close();
});

test("another call under the same id gets no receipt, and is not done", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const session = await open();
  await pay(session);
  const conflict = { code: "action_conflict" };
  expect(await pay(session, { args: { amount: 500 } })).toMatchObject(conflict);
  await decide();
  await outcomes(session);
  expect(await pay(session, { args: { amount: 500 } })).toMatchObject(conflict);
  expect(paid).toEqual([{ amount: 5 }]);
  await behest.close();
});

test("a default that comes out otherwise each time does what was shown, and is answered alike", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const given = { to: "bob" };
  const parsed = (nonce: number) => ({ given, args: { to: "bob", nonce } });
  const first = await pay(await open(), parsed(1));
  const session = await open();
  expect((await pay(session, parsed(2))).message).toBe(first.message);
  await decide();
  await outcomes(session);
  expect((await pay(await open(), parsed(3))).message).toBe(first.message);
  expect(paid).toEqual([{ to: "bob", nonce: 1 }]);
  await behest.close();
});

test("who sees to it in one process, does it once, also where the first of them goes", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const leaving = new AbortController();
  const sessions = [await open({ signal: leaving.signal }), await open(), await open()];
  for (const session of sessions) await pay(session);
  leaving.abort(new Error("gone"));
  expect(await outcomes(sessions[0]!)).toMatchObject([{ outcome: "refused", code: "session_ended" }]);
  await decide();
  for (const session of sessions.slice(1))
    expect(await outcomes(session)).toEqual([{ outcome: "done", value: "paid 1" }]);
  expect(paid).toHaveLength(1);
  await behest.close();
});

test("what has ended does nothing, whatever is approved then; its call is still answered alike", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const stop = new AbortController();
  const session = await open({ signal: stop.signal });
  const { message } = await pay(session);
  stop.abort();
  await outcomes(session);
  await decide();
  expect((await pay(session)).message).toBe(message);
  expect(await outcomes(session)).toMatchObject([{ code: "session_ended" }]);
  expect(paid).toEqual([]);
  // Another session of the run does it.
  const another = await open();
  await pay(another);
  expect(await outcomes(another)).toEqual([{ outcome: "done", value: "paid 1" }]);
  await behest.close();
});

test("closing ends what waits, and leaves what was asked for to another process", async () => {
  const { behest, open, pay } = await deferring();
  const session = await open();
  await pay(session);
  await behest.close();
  expect(await outcomes(session)).toMatchObject([{ outcome: "refused", code: "session_ended" }]);
});

test("inside of another's body nothing is deferred: there an ask is a denial", async () => {
  const { behest, open, pay } = await deferring();
  const session = await open();
  const inside = await session.run(() =>
    callTool(session, { tool: "look", callId: "0", turn: "t", args: {} }, async () => [
      await pay(session),
      await spawn(
        session,
        { tool: "sub", callId: "2", turn: "t", args: {} },
        { tools },
        async (child) => (await pay(child)).name,
      ),
    ]),
  );
  expect(inside).toEqual([
    expect.objectContaining({ code: "approval_needed", waiting: undefined, deferred: undefined }),
    "BehestDenied",
  ]);
  expect(await behest.approvals.list()).toEqual([]);
  await behest.close();
});

test("a call that nobody could know again is not deferred; what was to wait when it was asked for waits", async () => {
  const { behest, open, pay } = await deferring();
  const denied = { name: "BehestDenied", code: "approval_needed" };
  expect(await pay(await open(), { waits: false })).toMatchObject(denied);
  expect(await pay(await open(), { waits: true, defers: false })).toMatchObject({
    ...denied,
    waiting: { tool: "pay" },
  });
  expect(await pay(await open())).toMatchObject({ ...denied, waiting: { tool: "pay" } });
  // It needs no checkpoint to go on from.
  expect(await pay(await open(), { callId: "2", waits: false, defers: true })).toMatchObject(receipt);
  await behest.close();
});

test("a sub-agent goes on and ends, and what it deferred is done after it and its caller have", async () => {
  const { behest, open, decide, pay, paid } = await deferring();
  const session = await open();
  const loop = new AbortController();
  const call = { tool: "sub", callId: "1", turn: "t", args: {}, signal: loop.signal };
  let children: readonly Session[] = [];
  const sub = () =>
    spawn(session, call, { tools, agent: "payer" }, async (child) => {
      children = [...children, child];
      const nested = spawn(child, call, { tools }, async (below) => (await pay(below)).name);
      return `sub: ${await nested}`;
    });
  expect(await sub()).toBe("sub: BehestDeferred");
  expect(await sub()).toBe("sub: BehestDeferred");
  expect(children).toHaveLength(1);
  // A framework may fire the signal of a loop that is over.
  loop.abort();
  expect(session.deferred()).toHaveLength(1);
  expect(children[0]!.deferred()).toEqual(session.deferred());
  const sibling = await session.delegate({ tools });
  expect(sibling.deferred()).toEqual([]);
  await decide();
  expect(await outcomes(session)).toEqual([{ outcome: "done", value: "paid 1" }]);
  expect(paid).toHaveLength(1);
  await behest.close();
});

test("a run's model turns are kept until what was deferred is done, also where the run has ended", async () => {
  const { behest, open, decide, pay } = await deferring();
  const request = { messages: [{ role: "user" }], json: () => null };
  const turn = { model: "m", provider: "p", tools: [], response: "hello", calls: [] };
  const ask = (session: Session) => session.run(() => openTurn(session, request));
  const session = await open();
  await session.run(async () => {
    await pay(session);
    await (await openTurn(session, request)).record(turn);
  });
  expect((await ask(await open())).replay).toBe("hello");
  await decide();
  await outcomes(session);
  await behest.records.list();
  expect((await ask(await open())).replay).toBeUndefined();
  await behest.close();
});

test("a run that failed keeps its model turns, whatever is done meanwhile", async () => {
  const { behest, open, decide, pay } = await deferring();
  const request = { messages: [{ role: "user" }], json: () => null };
  const turn = { model: "m", provider: "p", tools: [], response: "hello", calls: [] };
  const session = await open();
  const failing = session.run(async () => {
    await pay(session);
    await (await openTurn(session, request)).record(turn);
    throw new Error("down");
  });
  await expect(failing).rejects.toThrow("down");
  await decide();
  await outcomes(session);
  await behest.records.list();
  const again = await open();
  expect((await again.run(() => openTurn(again, request))).replay).toBe("hello");
  await behest.close();
});

test("a framework that asks beforehand whether a call waits is told that it does not", async () => {
  const { behest, open, pay } = await deferring();
  const session = await open();
  const call = { tool: "pay", callId: "1", turn: "t", args: { amount: 5 } };
  expect(await pending(session, call)).toBeUndefined();
  expect(await behest.approvals.list()).toEqual([]);
  const { deferred } = await pay(session);
  expect(await pending(session, call)).toBeUndefined();
  expect(await pending(await open({ waiting: "pause" }), call)).toBeUndefined();
  expect(await comeOf(session, deferred!.approval)).toBe("deferred");
  await behest.close();
});

test("a body that throws has failed, and one that is stopped is told as such", async () => {
  const { behest, open, decide } = await deferring();
  const stop = new AbortController();
  const session = await open({ signal: stop.signal });
  const call = (id: string, body: () => Promise<never>) =>
    callTool(session, { tool: "pay", callId: id, turn: "t", args: {} }, body).catch(() => {});
  await call("1", () => Promise.reject(new Error("no funds")));
  await decide();
  await outcomes(session);
  await call("2", () => new Promise(() => stop.abort()));
  await decide();
  expect(await outcomes(session)).toMatchObject([
    { outcome: "failed", code: "tool_failed", error: new Error("no funds") },
    { outcome: "unknown", code: "outcome_unknown" },
  ]);
  await behest.close();
});
