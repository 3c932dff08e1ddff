import { grants, is } from "@behest/delegation";
import type { AatTools } from "@behest/delegation";
import { expect, test } from "vitest";
import { BehestError } from "../error.ts";
import { currentSession } from "../session/ambient.ts";
import { withProfile } from "../profile/profile.ts";
import { callTool } from "../adapter.ts";
import { memoryStore } from "../store/memory.ts";
import { type Engine, engine } from "../store/types.ts";
import { testBehest } from "../testing.ts";

const tools = { send_mail: {}, read: {}, pay: {} };
const mail: AatTools = grants(tools, {
  send_mail: { to: is.email("@example.com"), "*": is.any },
  read: true,
});
const never = async (): Promise<never> => expect.unreachable("a tool body ran");

async function refusal(attempt: Promise<unknown>): Promise<BehestError> {
  const error = await attempt.then(
    () => expect.unreachable("it was permitted"),
    (e: unknown) => e,
  );
  expect(BehestError.isInstance(error)).toBe(true);
  return error as BehestError;
}

test("what the delegation names runs, with exactly the arguments that were decided on", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  const args = { to: "bob@example.com", note: { n: -0, gone: undefined } };
  const outcome = await alice.perform({ tool: "send_mail", args: args as never }, async (given) => {
    expect(given).toEqual({ to: "bob@example.com", note: { n: 0 } });
    expect(Object.isFrozen(given) && Object.isFrozen((given as { note: object }).note)).toBe(true);
    args.to = "eve@evil.test";
    return (given as { to: string }).to;
  });
  expect(outcome).toEqual({ outcome: "done", value: "bob@example.com" });
});

test("what it does not name is refused, recorded and never runs", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  const outside = await refusal(alice.perform({ tool: "send_mail", args: { to: "eve@evil.test" } }, never));
  const unknown = await refusal(alice.perform({ tool: "pay", args: {} }, never));
  const missing = await refusal(alice.perform({ tool: "send_mail", args: {} }, never));
  expect([outside.code, unknown.code, missing.code]).toEqual([
    "argument_not_granted",
    "tool_not_granted",
    "argument_not_granted",
  ]);
  expect(outside.name).toBe("BehestDenied");
  expect(outside.message).toContain('argument "to" is outside what was delegated (email)');
  expect(outside.message).not.toContain("evil");
  expect((await behest.records.list()).map((r) => [r.principal, r.tool, r.verdict, r.code])).toEqual([
    ["alice", "send_mail", "deny", "argument_not_granted"],
    ["alice", "pay", "deny", "tool_not_granted"],
    ["alice", "send_mail", "deny", "argument_not_granted"],
  ]);
});

test("arguments that are not JSON are refused", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  for (const bad of [
    { at: new Date() },
    { f: () => 1 },
    { n: Number.NaN },
    { big: 1n },
    { text: "\ud800" },
  ]) {
    const error = await refusal(alice.perform({ tool: "read", args: bad as never }, never));
    expect(error.code).toBe("args_not_json");
  }
});

test("a model cannot put words into the log or a message through a tool's or an argument's name", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  const secret = "alice's password is hunter2";
  const named = await refusal(alice.perform({ tool: secret, args: {} }, never));
  const argued = await refusal(
    alice.perform({ tool: "send_mail", args: { to: 1, [secret]: secret } }, never),
  );
  for (const error of [named, argued]) expect(error.message).not.toContain("hunter2");
  expect(JSON.stringify(await behest.records.list())).not.toContain("hunter2");
});

test("an action starts once; its recorded outcome answers every further call, and other arguments are a conflict", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  let ran = 0;
  const call = (args: object): Promise<{ n: number }> =>
    callTool(alice, { tool: "send_mail", args, callId: "c1", turn: "t1" }, async () => ({ n: ++ran }));
  expect(await call({ to: "bob@example.com" })).toEqual({ n: 1 });
  expect(await call({ to: "bob@example.com" })).toEqual({ n: 1 });
  expect((await refusal(call({ to: "ann@example.com" }))).code).toBe("action_conflict");
  expect(ran).toBe(1);
});

test("the same call id in another turn is another action", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  let ran = 0;
  for (const turn of ["t1", "t2"])
    await callTool(alice, { tool: "read", args: {}, callId: "0", turn }, async () => void ran++);
  expect(ran).toBe(2);
});

test("a result that has no JSON form is done, and not done again", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  const call = (): Promise<Map<string, string>> =>
    callTool(alice, { tool: "read", args: {}, callId: "c" }, async () => new Map());
  await call();
  expect((await refusal(call())).code).toBe("already_done");
});

test("a tool's own exception comes through untouched and is recorded; only a read may be tried again", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  const reader = withProfile({ func: (_: object) => 1 }, { effect: "read", boundary: "inside" });
  const boom = new Error("boom");
  let ran = 0;
  const fail = async (): Promise<never> => {
    ran++;
    throw boom;
  };
  const write = { tool: "send_mail", args: { to: "bob@example.com" }, callId: "w" };
  await expect(callTool(alice, write, fail)).rejects.toBe(boom);
  expect((await refusal(callTool(alice, write, fail))).code).toBe("already_done");
  expect(ran).toBe(1);
  const read = { tool: "read", args: {}, callId: "r", definition: reader };
  await expect(callTool(alice, read, fail)).rejects.toBe(boom);
  expect(await callTool(alice, read, async () => "second")).toBe("second");
  expect((await behest.records.list()).map((r) => [r.tool, r.outcome])).toEqual([
    ["send_mail", "failed"],
    ["read", "failed"],
    ["read", "done"],
  ]);
});

test("calls from inside a guarded body are told apart by their order in it", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  const seen: string[] = [];
  const inner = (n: number): Promise<void> =>
    callTool(alice, { tool: "read", args: { n }, callId: "c0" }, async () => void seen.push(`inner ${n}`));
  await callTool(alice, { tool: "read", args: {}, callId: "c0" }, async () => {
    await inner(1);
    await inner(2);
    await callTool(alice, { tool: "read", args: { n: 3 } }, async () => void seen.push("no id"));
  });
  expect(seen).toEqual(["inner 1", "inner 2", "no id"]);
});

test("a signal stops a body that listens, and leaves one that does not behind as unknown", async () => {
  await using behest = await testBehest();
  const stop = new AbortController();
  const alice = await behest.as("alice", mail, { signal: stop.signal });
  const reason = new Error("stop");
  const listening = alice.perform(
    { tool: "read", args: { n: 1 } },
    (_, { signal }) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      ),
  );
  let release = (_: string): void => {};
  const deaf = alice.perform(
    { tool: "read", args: { n: 2 } },
    () => new Promise<string>((resolve) => (release = resolve)),
  );
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort(reason);
  expect(await listening).toMatchObject({ outcome: "aborted", error: reason });
  expect(await deaf).toMatchObject({ outcome: "unknown", error: reason });
  release("late");
  expect((await refusal(alice.perform({ tool: "read", args: {} }, never))).code).toBe("session_ended");
  expect((await behest.records.list()).map((r) => r.outcome)).toEqual(["aborted", "unknown", undefined]);
});

test("fifty denials in a row end the run", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", mail);
  for (let i = 0; i < 50; i++) await refusal(alice.perform({ tool: "pay", args: { i } }, never));
  expect(alice.signal.aborted).toBe(true);
  expect((await refusal(alice.perform({ tool: "read", args: {} }, never))).code).toBe("session_ended");
});

test("nothing runs once the delegation has expired, whatever was authorised before", async () => {
  let now = Date.now();
  await using behest = await testBehest({ clock: () => now });
  const alice = await behest.as("alice", mail);
  expect((await alice.authorize({ tool: "read", args: {} })).verdict).toBe("permit");
  now += 3_700_000;
  expect((await alice.authorize({ tool: "read", args: {} })).verdict).toBe("deny");
  expect((await refusal(alice.perform({ tool: "read", args: {} }, never))).code).toBe("delegation_expired");
});

test("a body starts only after its entry stands, and a store that fails starts nothing", async () => {
  const order: string[] = [];
  const store = memoryStore();
  const real = store[engine];
  let broken = false;
  const watched = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "begin" || typeof value !== "function")
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (...args: Parameters<Engine["begin"]>) => {
        if (broken) throw new BehestError("store_failed", "store_failed: the disk is gone.");
        const answer = await target.begin(...args);
        order.push("begun");
        return answer;
      };
    },
  });
  await using behest = await testBehest({ store: { [engine]: watched, close: () => store.close() } });
  const alice = await behest.as("alice", mail);
  await alice.perform({ tool: "read", args: {} }, async () => void order.push("body"));
  expect(order).toEqual(["begun", "body"]);
  broken = true;
  expect((await refusal(alice.perform({ tool: "read", args: { n: 1 } }, never))).code).toBe("store_failed");
});

test("a profile that does not answer for the arguments is a denial; one that does sets the class", async () => {
  const bad = {
    effect: () => {
      throw new Error("x");
    },
    boundary: "inside",
  } as never;
  await using behest = await testBehest({ profiles: { read: bad } });
  const alice = await behest.as("alice", mail);
  expect((await refusal(alice.perform({ tool: "read", args: {} }, never))).code).toBe("profile_invalid");
});

test("no session, no permission", async () => {
  expect(() => currentSession()).toThrow(/no_session/);
  expect((await refusal(callTool({} as never, { tool: "read", args: {} }, never))).code).toBe("no_session");
});
