import { context, propagation, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { type Json, grants, is } from "@behest/delegation";
import { type EntryPayload, parseEntry, parsePayload } from "@behest/provenance";
import { afterEach, expect, test } from "vitest";
import { callTool, openTurn } from "../adapter.ts";
import { memoryStore } from "../store/memory.ts";
import { engine } from "../store/types.ts";
import { testBehest } from "../testing.ts";

const tools = grants({ send: {} }, { send: { to: is.email("@example.com") } });

afterEach(() => {
  for (const api of [trace, context, propagation]) api.disable();
});

/** What is in the log after these calls, each entry read by the strict reader. */
async function entries(credential: string): Promise<readonly EntryPayload[]> {
  const store = memoryStore();
  const credentials = async () => ({ name: credential, value: "v" });
  await using behest = await testBehest({ store, credentials });
  const alice = await behest.as("alice", tools);
  const turn = await openTurn(alice, { messages: ["go"], json: (value) => value as Json });
  const calls = ["a", "b", "c"].map((callId) => ({ callId, tool: "send" }));
  await turn.record({
    model: "m",
    provider: "p",
    system: "s",
    tools: [],
    response: "r",
    alternatives: ["x"],
    reasoning: "y",
    calls,
  });
  const send = (callId: string, to: string, body: () => Promise<unknown>): Promise<unknown> =>
    callTool(alice, { tool: "send", args: { to }, callId, turn: turn.id }, body).catch(
      (error: unknown) => error,
    );
  await send("a", "bob@example.com", async () => "sent");
  await send("b", "bob@example.com", () => Promise.reject(new Error("down")));
  await send("c", "eve@evil.test", async () => "sent");
  await behest.records.list();
  return (await store[engine].entries(0, 100)).map((jws) => parsePayload(parseEntry(jws).payload));
}

test("every entry is canonical JSON, whatever it carries", async () => {
  const exporter = new InMemorySpanExporter();
  const sdk = new NodeSDK({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  sdk.start();
  const all = await entries("key \\ud800");
  await sdk.shutdown();
  expect(all.map(({ type }) => type)).toEqual([
    "trust",
    "delegation",
    "interaction",
    "action",
    "outcome",
    "action",
    "outcome",
    "action",
  ]);
  const [permitted] = all.filter((entry) => entry.type === "action");
  const [ended] = all.filter((entry) => entry.type === "outcome");
  expect(ended).toMatchObject({ outcome: "done", credential: "key \\ud800" });
  expect(permitted).toMatchObject({
    trace: { trace: expect.any(String) as string },
  });
});

test("a credential whose name no JSON text can carry starts no body and leaves no entry that nobody can read", async () => {
  const all = await entries("key \ud800");
  const outcomes = all.filter((entry) => entry.type === "outcome");
  expect(outcomes).toHaveLength(2);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ outcome: "failed", code: "credential_failed" });
    expect(outcome).not.toHaveProperty("started");
    expect(outcome).not.toHaveProperty("credential");
  }
});
