import { inspect } from "node:util";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { OpenTelemetry } from "@ai-sdk/otel";
import { ToolLoopAgent, type Telemetry, generateText, isStepCount, streamText, tool } from "ai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { fake, toolbox } from "../test/fake.ts";
import { guard, subagentTool } from "./index.ts";

const exporter = new InMemorySpanExporter();
const sdk = new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
  metricReaders: [],
  logRecordProcessors: [],
  autoDetectResources: false,
});
beforeAll(() => sdk.start());
afterAll(() => sdk.shutdown());

/** Everything that is reachable in `value` without calling it: members that are hidden, symbols, prototypes of its own. */
function reachable(value: unknown, found: Set<unknown> = new Set()): Set<unknown> {
  if (found.has(value)) return found;
  found.add(value);
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return found;
  for (const key of Reflect.ownKeys(value)) {
    found.add(key);
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    if ("value" in property) reachable(property.value, found);
  }
  return found;
}

const COMPACT_JWS = /eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/;

test("no token, and nothing signed, reaches a prompt, a result or telemetry", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const events: unknown[] = [];
  const listen = new Proxy({} as Telemetry, {
    get: (_, hook) => {
      if (hook === "executeTool" || hook === "executeLanguageModelCall")
        return async (event: { execute: () => Promise<unknown> }) => {
          events.push(event);
          const result = await event.execute();
          events.push(result);
          return result;
        };
      return typeof hook === "string" && hook.startsWith("on")
        ? (event: unknown) => void events.push(event)
        : undefined;
    },
  });
  const wild = { constraint_type: "wildcard" };
  const granted = { pay: { amount: { constraint_type: "range", max: 5 }, currency: wild }, context: {} };
  const session = await behest.as("alice", granted, { run: "r" });
  const { tools } = toolbox();
  const inner = new ToolLoopAgent(
    guard({ model: fake([["pay", { amount: 1 }]], "paid"), tools, telemetry: { integrations: [listen] } }),
  );
  const all = {
    ...tools,
    context: tool({
      inputSchema: z.object({}),
      contextSchema: z.object({ tenant: z.string() }),
      execute: async (_, about) => inspect(about, { depth: 9, showHidden: true }),
    }),
    payer: subagentTool({
      description: "d",
      inputSchema: z.object({}),
      delegate: { tools: { pay: granted.pay } },
      run: async () => (await inner.generate({ prompt: "x" })).text,
    }),
  };
  const model = fake(
    [
      ["pay", { amount: 1 }],
      ["pay", { amount: 6 }],
      ["payer", {}],
      ["context", {}],
    ],
    "done",
  );
  const settings = guard(
    {
      model,
      tools: all,
      prompt: "x",
      stopWhen: isStepCount(5),
      toolApproval: { pay: "approved" },
      toolsContext: { context: { tenant: "t1" } },
      runtimeContext: { user: "u" },
      telemetry: {
        integrations: [listen, new OpenTelemetry()],
        includeToolsContext: { context: { tenant: true } },
        includeRuntimeContext: { user: true },
      },
    },
    session,
  );
  const generated = await session.run(() => generateText(settings));
  const streamed = streamText(settings);
  const parts: unknown[] = [];
  for await (const part of streamed.stream) parts.push(part);
  expect(generated.text).toBe("done");

  // The tokens, as the store keeps them.
  const leaves: string[] = [];
  for await (const jws of readStore(store).entries()) {
    const entry = JSON.parse(Buffer.from(jws.split(".")[1]!, "base64url").toString()) as {
      type: string;
      leaf?: string;
    };
    if (entry.type === "delegation") leaves.push(entry.leaf!);
  }
  const chains = await Promise.all(leaves.map((leaf) => readStore(store).chain(leaf)));
  const tokens = [...new Set(chains.flatMap((known) => known!.chain))];
  expect(tokens).toHaveLength(3);

  const spans = exporter.getFinishedSpans().map(({ name, attributes, events: logged }) => {
    const { "behest.proof": proof, ...rest } = attributes;
    return { name, proof, rest, logged };
  });
  expect(spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["execute_tool pay", "invoke_agent agent"]),
  );
  expect(events.length).toBeGreaterThan(50);
  const prompts = model.doGenerateCalls.concat(model.doStreamCalls);
  const strings = [
    ...reachable([
      events,
      prompts,
      generated,
      parts,
      spans.map(({ name, rest, logged }) => [name, rest, logged]),
    ]),
  ]
    .filter((value) => typeof value === "string" || typeof value === "symbol")
    .map(String);
  expect(strings).toContain("paid 1");
  const signed = tokens.map((token) => token.split(".")[1]!);
  expect(
    strings.filter((text) => COMPACT_JWS.test(text) || signed.some((part) => text.includes(part))),
  ).toEqual([]);
  // Our own span's proof is a signature, and no token either.
  for (const { proof } of spans) if (proof) expect(tokens.join()).not.toContain(String(proof));
});
