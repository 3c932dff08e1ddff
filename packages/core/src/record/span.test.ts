import { context, propagation, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { grants, is } from "@behest/delegation";
import { publicKey } from "@behest/jws";
import { parseEntry, verifySpanProof } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { spawn } from "../adapter.ts";
import { memoryStore } from "../store/memory.ts";
import { engine } from "../store/types.ts";
import { testBehest } from "../testing.ts";

const tools = grants({ send: {}, read: {} }, { send: { to: is.email("@example.com") }, read: true });
let exporter: InMemorySpanExporter;
let sdk: NodeSDK;

beforeEach(() => {
  exporter = new InMemorySpanExporter();
  sdk = new NodeSDK({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  sdk.start();
});
afterEach(async () => {
  await sdk.shutdown();
  for (const api of [trace, context, propagation]) api.disable();
});

test("every action, denied ones too, has a span that proves itself and names its entry", async () => {
  const store = memoryStore();
  const behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  await alice.perform({ tool: "send", args: { to: "bob@example.com" } }, async () => "secret result");
  await alice.perform({ tool: "send", args: { to: "eve@evil.test" } }, async () => 1).catch(() => {});
  await behest.records.list();
  const entries = (await store[engine].entries(0, 100))
    .map((jws) => parseEntry(jws))
    .map(({ hash, payload }) => ({ hash, payload: JSON.parse(payload) as object }));
  const key = certified(entries);
  const spans = exporter.getFinishedSpans().filter((s) => s.name === "execute_tool send");
  expect(spans.map((s) => s.attributes["behest.verdict"])).toEqual(["permit", "deny"]);
  for (const span of spans) {
    const claims = await verifySpanProof(span.attributes["behest.proof"] as string, publicKey(key));
    expect(claims).toMatchObject({
      tool: "send",
      trace: span.spanContext().traceId,
      span: span.spanContext().spanId,
    });
    for (const [name, value] of Object.entries(claims))
      if (`behest.${name}` in span.attributes) expect(span.attributes[`behest.${name}`]).toBe(value);
    const entry = entries.find((e) => e.hash === claims.entry)!;
    expect(entry.payload).toMatchObject({
      type: "action",
      trace: { trace: claims.trace, span: claims.span },
    });
    expect(Object.values(span.attributes).every((v) => typeof v === "string" && v.length < 2048)).toBe(true);
  }
  const everything = JSON.stringify(
    exporter.getFinishedSpans().map((s) => [s.name, s.attributes, s.events, s.status]),
  );
  for (const secret of ["example.com", "evil.test", "secret result", "alice"])
    expect(everything).not.toContain(secret);
  await behest.close();
});

test("spans nest under what is active, the body's spans under ours, a sub-agent's under its spawn and linked to its parent's", async () => {
  const behest = await testBehest();
  const alice = await behest.as("alice", tools, { agent: "root" });
  const tracer = trace.getTracer("app");
  await tracer.startActiveSpan("framework", async (outer) => {
    await alice.run(async () => {
      await alice.perform({ tool: "read", args: {} }, async () => tracer.startSpan("http").end());
      await spawn(
        alice,
        { tool: "child", args: {}, callId: "c" },
        { agent: "child", tools },
        async (child) => {
          await child.perform({ tool: "read", args: {} }, async () => 1);
          return "";
        },
      );
    });
    outer.end();
  });
  const spans = exporter.getFinishedSpans();
  const named = (name: string, n = 0) => spans.filter((s) => s.name === name)[n]!;
  const parentOf = (name: string, n = 0): string | undefined =>
    spans.find((s) => s.spanContext().spanId === named(name, n).parentSpanContext?.spanId)?.name;
  expect(parentOf("http")).toBe("execute_tool read");
  expect(parentOf("execute_tool read", 0)).toBe("invoke_agent root");
  expect(parentOf("invoke_agent root")).toBe("framework");
  expect(parentOf("invoke_agent child")).toBe("invoke_agent root");
  expect(parentOf("execute_tool read", 1)).toBe("invoke_agent child");
  expect(named("invoke_agent child").links[0]!.context.spanId).toBe(
    named("invoke_agent root").spanContext().spanId,
  );
  await behest.close();
});

function certified(entries: readonly { payload: object }[]): unknown {
  const certificate = entries
    .map(({ payload }) => (payload as { certificate?: string }).certificate)
    .find((jws) => jws !== undefined)!;
  return (
    JSON.parse(Buffer.from(certificate.split(".")[1]!, "base64url").toString()) as { cnf: { jwk: unknown } }
  ).cnf.jwk;
}

test("under shadow every span says so, those of sessions too", async () => {
  await using behest = await testBehest({ enforce: "shadow" });
  const alice = await behest.as("alice", tools);
  await alice.run(() => alice.perform({ tool: "send", args: { to: "eve@evil.test" } }, async () => 1));
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name)).toEqual(["execute_tool send", "invoke_agent agent"]);
  expect(spans.map(({ attributes }) => attributes["behest.enforce"])).toEqual(["shadow", "shadow"]);
});

test("spans of what was observed say so in place of a delegation, and prove it", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ enforce: "shadow", store });
  const session = behest.observe({ principal: "alice" });
  await session.run(() => session.perform({ tool: "send", args: { to: "eve@evil.test" } }, async () => 1));
  const spans = exporter.getFinishedSpans();
  expect(spans.map(({ name }) => name)).toEqual(["execute_tool send", "invoke_agent agent"]);
  for (const { attributes } of spans) {
    expect(attributes).toMatchObject({ "behest.enforce": "shadow", "behest.observed": "true" });
    expect(attributes).not.toHaveProperty("behest.delegation");
  }
  const entries = (await store[engine].entries(0, 100)).map((jws) => ({
    payload: JSON.parse(parseEntry(jws).payload) as object,
  }));
  const proof = spans[0]!.attributes["behest.proof"] as string;
  const claims = await verifySpanProof(proof, publicKey(certified(entries)));
  expect(claims).toMatchObject({ observed: true, tool: "send", verdict: "permit" });
});
