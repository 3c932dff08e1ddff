import { grants } from "@behest/delegation";
import type { Json } from "@behest/delegation";
import { expect, test } from "vitest";
import { type TurnRecord, holdRun, openTurn } from "./adapter.ts";
import { currentSession } from "./ambient.ts";
import { memoryStore } from "./store/memory.ts";
import { engine } from "./store/types.ts";
import { testBehest } from "./testing.ts";
import type { Session } from "./types.ts";

const tools = grants({ read: {} }, { read: true });
const turn: TurnRecord = {
  model: "m",
  provider: "p",
  system: "be brief",
  tools: [],
  response: "hi",
  calls: [{ callId: "0", tool: "read" }],
};

/** Asks a scripted model once and tells what came back: fresh answers are numbered. */
function asking(): (session: Session, messages: Json) => Promise<string> {
  let asked = 0;
  return async (session, messages) => {
    const handle = await openTurn(session, { messages });
    if (handle.replay !== undefined) return `${handle.replay as string} again`;
    const answer = `answer ${++asked}`;
    await handle.record(turn, answer);
    return answer;
  };
}

test("a run that is taken up again asks the model nothing twice", async () => {
  const ask = asking();
  await using behest = await testBehest();
  const delegation = tools;
  const first = await behest.as("alice", delegation, { run: "chat-1" });
  expect(await ask(first, ["a"])).toBe("answer 1");
  expect(await ask(first, ["a", "b"])).toBe("answer 2");
  // The same objects as after a crash: a session opened anew on the same delegation and run.
  const again = await reopen(behest, first, "chat-1");
  expect(await ask(again, ["a"])).toBe("answer 1 again");
  expect(await ask(again, ["a", "b"])).toBe("answer 2 again");
  expect(await ask(again, ["a", "b", "c"])).toBe("answer 3");
});

test("equal prompts inside one run are different turns, replayed in their order", async () => {
  const ask = asking();
  await using behest = await testBehest();
  const first = await behest.as("alice", tools, { run: "r" });
  expect([await ask(first, ["tick"]), await ask(first, ["tick"])]).toEqual(["answer 1", "answer 2"]);
  const again = await reopen(behest, first, "r");
  expect([await ask(again, ["tick"]), await ask(again, ["tick"]), await ask(again, ["tick"])]).toEqual([
    "answer 1 again",
    "answer 2 again",
    "answer 3",
  ]);
});

test("another run, another principal or another sub-agent never gets this one's turns", async () => {
  const ask = asking();
  await using behest = await testBehest();
  const alice = await behest.as("alice", tools, { run: "r" });
  await ask(alice, ["x"]);
  const child = await alice.delegate({ agent: "c", tools });
  expect(await ask(child, ["x"])).toBe("answer 2");
  expect(await ask(await reopen(behest, alice, "other"), ["x"])).toBe("answer 3");
  expect(await ask(await behest.as("bob", tools, { run: "r" }), ["x"])).toBe("answer 4");
});

test("without a run nothing is replayed", async () => {
  const ask = asking();
  await using behest = await testBehest();
  const alice = await behest.as("alice", tools);
  await ask(alice, ["x"]);
  expect(await ask(await reopen(behest, alice), ["x"])).toBe("answer 2");
});

test("a complete run is forgotten, one that failed is kept, and a held one waits for its release", async () => {
  const ask = asking();
  await using behest = await testBehest();
  const alice = await behest.as("alice", tools, { run: "r" });
  const inRun = (fail?: boolean): Promise<string> =>
    alice.run(async () => {
      const answer = await ask(currentSession(), ["x"]);
      if (fail) throw new Error(answer);
      return answer;
    });
  await expect(inRun(true)).rejects.toThrow("answer 1");
  expect(await ask(await reopen(behest, alice, "r"), ["x"])).toBe("answer 1 again");
  let release = (): void => {};
  await alice.run(async () => void (release = holdRun()));
  expect(await ask(await reopen(behest, alice, "r"), ["x"])).toBe("answer 1 again");
  release();
  await behest.records.list();
  expect(await ask(await reopen(behest, alice, "r"), ["x"])).toBe("answer 2");
});

test("no model is asked once the session is over", async () => {
  const stop = new AbortController();
  await using behest = await testBehest();
  const alice = await behest.as("alice", tools, { signal: stop.signal });
  stop.abort();
  await expect(openTurn(alice, { messages: [] })).rejects.toMatchObject({
    code: "session_ended",
    name: "BehestDenied",
  });
});

test("an interaction entry tells model, turn and calls, and of content only commitments", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const handle = await openTurn(alice, { messages: ["my secret diary"], turnId: "turn-1" });
  await handle.record({ ...turn, reasoning: "secret thoughts" }, null);
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

async function reopen(
  behest: Awaited<ReturnType<typeof testBehest>>,
  session: Session,
  run?: string,
): Promise<Session> {
  const { chain } = (session as unknown as { parts: { chain: readonly string[] } }).parts;
  return behest.open(chain, { holder: behest.holder, ...(run !== undefined && { run }) });
}
