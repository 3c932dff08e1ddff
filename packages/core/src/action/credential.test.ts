import { type AatTools, grants } from "@behest/delegation";
import { expect, test } from "vitest";
import { callTool } from "../adapter.ts";
import { useCredential } from "../session/ambient.ts";
import type { Credentials } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { memoryStore } from "../store/memory.ts";
import { type Engine, engine } from "../store/types.ts";
import { testBehest } from "../testing.ts";

const tools: AatTools = grants({ read: {}, pay: {} }, { read: true, pay: true });
const profiles = { read: { effect: "read", boundary: "inside" } } as const;
const never = async (): Promise<never> => expect.unreachable("a tool body ran");
const failing: Credentials = async () => {
  throw new Error("vault token s3cr3t refused");
};

test("a credential is named beside the outcome and its value reaches the body alone", async () => {
  const store = memoryStore();
  const credentials: Credentials = async (tool) => ({ name: `vault/${tool}`, value: "s3cr3t-value" });
  await using behest = await testBehest({ store, credentials });
  const alice = await behest.as("alice", tools);
  await alice.perform({ tool: "read", args: {} }, async () => expect(useCredential()).toBe("s3cr3t-value"));
  expect(() => useCredential()).toThrow(BehestError);
  const [record] = await behest.records.list();
  const { entries } = (await behest.records.get(record!.index))!;
  expect(entries.action).not.toHaveProperty("credential");
  expect(entries.outcome).toMatchObject({ outcome: "done", credential: "vault/read" });
  const log = (await store[engine].entries(0, 100))
    .map((jws) => Buffer.from(jws.split(".")[1]!, "base64url").toString())
    .join("\n");
  expect(log).not.toContain("s3cr3t");
});

test("it is asked for after the attempt has begun, and not for one that may not or that is told again", async () => {
  const order: string[] = [];
  const store = memoryStore();
  const real = store[engine];
  const watched = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: Parameters<Engine["begin"]>) => {
        if (name === "begin" || name === "finish") order.push(name);
        return value.apply(target, args) as unknown;
      };
    },
  });
  const credentials: Credentials = async () => {
    order.push("credential");
    return { name: "n", value: "v" };
  };
  await using behest = await testBehest({
    store: { [engine]: watched, close: () => store.close() },
    credentials,
  });
  const alice = await behest.as("alice", tools);
  const call = { tool: "pay", args: {}, callId: "1" };
  await callTool(alice, call, async () => void order.push("body"));
  expect(order.splice(0)).toEqual(["begin", "credential", "body", "finish"]);
  await callTool(alice, call, never);
  await expect(alice.perform({ tool: "wipe", args: {} }, never)).rejects.toMatchObject({
    code: "tool_not_granted",
  });
  expect(order).toEqual(["begin"]);
});

test.each<[string, Credentials]>([
  ["that is refused", failing],
  ["without a name", async () => ({ value: "v" }) as never],
  ["with an empty name", async () => ({ name: "", value: "v" })],
  ["with a name that no entry holds", async () => ({ name: "n".repeat(2_000_000), value: "v" })],
  ["that is no text", async () => ({ name: "n", value: { token: "s3cr3t" } }) as never],
  ["that is nothing", async () => null as never],
  [
    "asked of a provider that throws at once",
    () => {
      throw new Error("s3cr3t");
    },
  ],
])("a credential %s starts no body; the attempt failed, and nobody is told why", async (_, credentials) => {
  await using behest = await testBehest({ credentials, profiles });
  const alice = await behest.as("alice", tools);
  const call = { tool: "pay", args: {}, callId: "1" };
  const error = await callTool(alice, call, never).catch((e: unknown) => e as BehestError);
  expect(error).toMatchObject({ code: "credential_failed", name: "BehestDenied" });
  expect(`${error.message}${String(error.cause)}`).not.toContain("s3cr3t");
  expect(await alice.perform({ tool: "pay", args: {} }, never)).toMatchObject({
    outcome: "failed",
    code: "credential_failed",
  });
  // An attempt is an attempt: what is no read never starts again.
  await expect(callTool(alice, call, never)).rejects.toMatchObject({ code: "already_done" });
  const records = await behest.records.list();
  expect(records.map((r) => [r.verdict, r.code, r.outcome])).toEqual([
    ["permit", "ok", "failed"],
    ["permit", "ok", "failed"],
  ]);
  const { outcome } = (await behest.records.get(records[0]!.index))!.entries;
  expect(outcome).toMatchObject({ code: "credential_failed" });
  expect(outcome).not.toHaveProperty("started");
});

test("a read whose credential could not be had may be tried again", async () => {
  let broken = true;
  const credentials: Credentials = async (...asked) =>
    broken ? failing(...asked) : { name: "n", value: "v" };
  await using behest = await testBehest({ credentials, profiles });
  const alice = await behest.as("alice", tools);
  const call = { tool: "read", args: {}, callId: "1" };
  await expect(callTool(alice, call, never)).rejects.toMatchObject({ code: "credential_failed" });
  broken = false;
  expect(await callTool(alice, call, async () => useCredential())).toBe("v");
});

test("a provider that says nothing hands nothing out, and the body runs", async () => {
  await using behest = await testBehest({ credentials: async () => undefined });
  const alice = await behest.as("alice", tools);
  const outcome = await alice.perform({ tool: "read", args: {} }, async () => {
    expect(() => useCredential()).toThrow(BehestError);
  });
  expect(outcome).toMatchObject({ outcome: "done" });
});

test("a session that is stopped while the credential is awaited starts no body, also not later", async () => {
  const stop = new AbortController();
  let hand = (_: { name: string; value: string }): void => {};
  const credentials: Credentials = () => new Promise((resolve) => (hand = resolve));
  await using behest = await testBehest({ credentials });
  const alice = await behest.as("alice", tools, { signal: stop.signal });
  const pending = alice.perform({ tool: "pay", args: {} }, never);
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort(new Error("stop"));
  expect(await pending).toMatchObject({ outcome: "aborted", code: "aborted" });
  hand({ name: "n", value: "v" });
  await new Promise((resolve) => setImmediate(resolve));
  expect((await behest.records.list()).map((r) => r.outcome)).toEqual(["aborted"]);
});
