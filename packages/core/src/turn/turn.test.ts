import { AsyncResource } from "node:async_hooks";
import { type Json, grants, issueDelegation } from "@behest/delegation";
import { expect, test } from "vitest";
import { type TurnRecord, callTool, holdRun, openTurn } from "../adapter.ts";
import { currentSession } from "../session/ambient.ts";
import { memoryStore } from "../store/memory.ts";
import { engine } from "../store/types.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import type { OpenOptions, Session } from "../types.ts";

const tools = grants({ read: {}, pay: {} }, { read: true, pay: true });
const turn: TurnRecord = {
  model: "m",
  provider: "p",
  system: "be brief",
  tools: [],
  response: "hi",
  calls: [],
};
const json = (value: unknown): Json => value as Json;
const calls = [{ callId: "0", tool: "read" }];

/** Asks a scripted model once and tells what came back: fresh answers are numbered. */
function asking(
  chosen: TurnRecord["calls"] = [],
): (session: Session, messages: readonly Json[]) => Promise<string> {
  let asked = 0;
  return async (session, messages) => {
    const handle = await openTurn(session, { messages, json });
    if (handle.replay !== undefined) return `${handle.replay as string} again`;
    const answer = `answer ${++asked}`;
    await handle.record({ ...turn, calls: chosen, response: answer });
    return answer;
  };
}

/** One delegation, opened as often as a process would start. */
async function opener(behest: TestBehest): Promise<(options?: OpenOptions) => Promise<Session>> {
  const claims = {
    issuer: behest.issuer.iss,
    holder: behest.holder.jwk,
    principal: "alice",
    task: "t",
    tools,
    expiresIn: "1h",
  } as const;
  const delegation = await issueDelegation(claims, behest.issuer.signer);
  return (options) => behest.open(delegation, options);
}

test("a run that is taken up again asks the model nothing twice", async () => {
  const ask = asking(calls);
  await using behest = await testBehest();
  const open = await opener(behest);
  const first = await open({ run: "chat-1" });
  expect([await ask(first, ["a"]), await ask(first, ["a", "b"])]).toEqual(["answer 1", "answer 2"]);
  const again = await open({ run: "chat-1" });
  expect(await ask(again, ["a"])).toBe("answer 1 again");
  expect(await ask(again, ["a", "b"])).toBe("answer 2 again");
  expect(await ask(again, ["a", "b", "c"])).toBe("answer 3");
});

test("equal prompts inside one run are different turns, replayed in their order, also when asked in parallel", async () => {
  const ask = asking(calls);
  await using behest = await testBehest();
  const open = await opener(behest);
  const all = async (session: Session): Promise<string[]> =>
    (await Promise.all([ask(session, ["tick"]), ask(session, ["tick"])])).toSorted();
  expect(await all(await open({ run: "r" }))).toEqual(["answer 1", "answer 2"]);
  const again = await open({ run: "r" });
  expect(await all(again)).toEqual(["answer 1 again", "answer 2 again"]);
  expect(await ask(again, ["tick"])).toBe("answer 3");
});

test("a question that the model failed to answer is the same one when it is asked again", async () => {
  const ask = asking(calls);
  await using behest = await testBehest();
  const open = await opener(behest);
  const first = await open({ run: "r" });
  (await openTurn(first, { messages: ["x"], json })).abandon();
  await ask(first, ["x"]);
  expect(await ask(await open({ run: "r" }), ["x"])).toBe("answer 1 again");
});

test("of two processes that take one run up at once, one goes on and the other starts nothing", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  let paid = 0;
  const takeUp = async (session: Session): Promise<void> => {
    const handle = await openTurn(session, { messages: ["go"], json });
    await new Promise((resolve) => setImmediate(resolve));
    await handle.record({ ...turn, calls: [{ callId: "k", tool: "pay" }] });
    await callTool(session, { tool: "pay", args: {}, callId: "k", turn: handle.id }, async () => void paid++);
  };
  const outcomes = await Promise.allSettled([
    takeUp(await open({ run: "chat" })),
    takeUp(await open({ run: "chat" })),
  ]);
  expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "action_running" },
  });
  expect(paid).toBe(1);
});

test("another run, principal, agent or sub-agent never gets this one's turns", async () => {
  const ask = asking(calls);
  await using behest = await testBehest();
  const open = await opener(behest);
  const alice = await open({ run: "r" });
  await ask(alice, ["x"]);
  expect(await ask(await alice.delegate({ agent: "c", tools }), ["x"])).toBe("answer 2");
  expect(await ask(await open({ run: "other" }), ["x"])).toBe("answer 3");
  expect(await ask(await behest.as("bob", tools, { run: "r" }), ["x"])).toBe("answer 4");
  expect(await ask(await open({ run: "r", agent: "payer" }), ["x"])).toBe("answer 5");
});

test("without a run nothing is replayed", async () => {
  const ask = asking();
  await using behest = await testBehest();
  const open = await opener(behest);
  await ask(await open(), ["x"]);
  expect(await ask(await open(), ["x"])).toBe("answer 2");
});

/** What asks in a `session.run` of its own, which may then fail. */
const within =
  (session: Session, ask: ReturnType<typeof asking>) =>
  (fail = false): Promise<string> =>
    session.run(async () => {
      const answer = await ask(currentSession(), ["x"]);
      if (fail) throw new Error(answer);
      return answer;
    });

test("a complete run is forgotten, one that failed is kept, also for the same session object", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const session = await open({ run: "r" });
  const inRun = within(session, asking());
  await expect(inRun(true)).rejects.toThrow("answer 1");
  expect(await inRun()).toBe("answer 1 again");
  await behest.records.list();
  expect(await inRun()).toBe("answer 2");
});

test("a run whose last turn chose calls has paused and is kept, whatever settled", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const inRun = within(await open({ run: "r" }), asking(calls));
  expect(await inRun()).toBe("answer 1");
  await behest.records.list();
  expect(await inRun()).toBe("answer 1 again");
});

test("a run is over when the last of its session.run is, held streams included, and failed if one of them did", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const session = await open({ run: "r" });
  const ask = asking();
  // Asks in another process, which then fails, so that it changes nothing.
  const elsewhere = async (): Promise<unknown> =>
    within(await open({ run: "r" }), ask)(true).catch((error: Error) => error.message);
  let release = (_?: boolean): void => {};
  await session.run(async () => {
    release = holdRun();
    await ask(session, ["x"]);
  });
  expect(await elsewhere()).toBe("answer 1 again");
  let fail = (_: Error): void => {};
  const failing = session.run(() => new Promise((_, reject) => (fail = reject)));
  release();
  fail(new Error("late"));
  await expect(failing).rejects.toThrow("late");
  await behest.records.list();
  expect(await elsewhere()).toBe("answer 1 again");
  expect(await within(session, ask)()).toBe("answer 1 again");
  await behest.records.list();
  expect(await elsewhere()).toBe("answer 2");
});

test("a hold that is taken when its session.run is over is counted like any other", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const session = await open({ run: "r" });
  const ask = asking();
  let hold = (): ReturnType<typeof holdRun> => holdRun();
  await session.run(async () => {
    const bound = AsyncResource.bind(() => holdRun());
    hold = bound;
  });
  hold()();
  // One run is under way: what settles beside it does not end it.
  const [asked, never] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const underWay = session.run(async () => {
    await ask(session, ["x"]);
    asked.resolve();
    return never.promise;
  });
  await asked.promise;
  await session.run(async () => {});
  await behest.records.list();
  never.reject(new Error("broke off"));
  await expect(underWay).rejects.toThrow("broke off");
  expect(await within(await open({ run: "r" }), ask)()).toBe("answer 1 again");
});

test("a thenable that fails is a run that failed", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const session = await open({ run: "r" });
  const ask = asking();
  const failing = session.run(() => {
    const asked = ask(session, ["x"]).then(() => Promise.reject(new Error("no")));
    // oxlint-disable-next-line unicorn/no-thenable
    return { then: asked.then.bind(asked) };
  });
  await expect(failing).rejects.toThrow("no");
  await behest.records.list();
  expect(await within(session, ask)()).toBe("answer 1 again");
});

test("a run inside another principal's run fails and ends by itself", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const bob = await behest.as("bob", tools);
  const ask = asking();
  await bob.run(async () => {
    const session = await open({ run: "r" });
    await expect(within(session, ask)(true)).rejects.toThrow("answer 1");
    await behest.records.list();
    expect(await within(session, ask)()).toBe("answer 1 again");
    await behest.records.list();
    // Passed by hand, under bob's ambient session: the turn that chooses nothing ends alice's run, not bob's.
    expect(await ask(await open({ run: "r" }), ["x"])).toBe("answer 2");
    await behest.records.list();
    expect(await ask(await open({ run: "r" }), ["x"])).toBe("answer 3");
  });
});

test("with a session passed by hand, a turn that chooses nothing ends its run", async () => {
  await using behest = await testBehest();
  const open = await opener(behest);
  const ask = asking();
  await ask(await open({ run: "chat" }), ["x"]);
  await behest.records.list();
  expect(await ask(await open({ run: "chat" }), ["x"])).toBe("answer 2");
});

test("no model is asked once the session is over", async () => {
  const stop = new AbortController();
  await using behest = await testBehest();
  const alice = await behest.as("alice", tools, { signal: stop.signal });
  stop.abort();
  await expect(openTurn(alice, { messages: [], json })).rejects.toMatchObject({
    code: "session_ended",
    name: "BehestDenied",
  });
});

test("an interaction entry tells model, turn and calls, and of content only commitments", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const handle = await openTurn(alice, { messages: ["my secret diary"], json });
  await handle.record({ ...turn, calls, id: "turn-1", reasoning: "secret thoughts" });
  const [entry] = (await store[engine].entries(0, 100))
    .map((jws) => JSON.parse(Buffer.from(jws.split(".")[1]!, "base64url").toString()) as Record<string, Json>)
    .filter((e) => e["type"] === "interaction");
  expect(entry).toMatchObject({ turn: "turn-1", model: "m", provider: "p", calls: [{ tool: "read" }] });
  expect(Object.keys(entry!["content"] as object).toSorted()).toEqual([
    "instruction",
    "reasoning",
    "response",
    "system",
    "tools",
  ]);
  expect(JSON.stringify(entry)).not.toContain("secret");
});

test("an answer that chooses more calls than an entry can name is refused, and the log stays readable", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", tools);
  const handle = await openTurn(alice, { messages: [], json });
  const many = Array.from({ length: 12_000 }, (_, i) => ({ callId: `${i}`, tool: "pay" }));
  await expect(handle.record({ ...turn, calls: many })).rejects.toMatchObject({ code: "too_large" });
});
