// Spans as an observability back end gets them: over OTLP/HTTP, from both frameworks, each proving itself.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { context, propagation, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { OpenTelemetry } from "@ai-sdk/otel";
import { ToolLoopAgent, registerTelemetry } from "ai";
import { createAgent } from "langchain";
import { z } from "zod";
import { guard } from "@behest/ai-sdk";
import { memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { grants, is } from "@behest/delegation";
import { publicKey } from "@behest/jws";
import { behestMiddleware, subagentTool } from "@behest/langchain";
import { parseEntry, verifyLog, verifySpanProof } from "@behest/provenance";
import { expect, test } from "vitest";
import { aiScripted, aiTools, messages, scripted, tools } from "../../examples/office.ts";

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}

/** Receives what an exporter posts to /v1/traces. */
async function receiver(): Promise<{ url: string; spans: WireSpan[]; stop(): Promise<void> }> {
  const spans: WireSpan[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const { resourceSpans } = JSON.parse(body) as {
        resourceSpans: { scopeSpans: { spans: WireSpan[] }[] }[];
      };
      for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans.push(...scope.spans);
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  return { url, spans, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

const attributesOf = (span: WireSpan): { [key: string]: string | undefined } =>
  Object.fromEntries(span.attributes.map(({ key, value }) => [key, value.stringValue]));

test("every span that arrives over OTLP proves itself, nests under its framework's, and carries no content", async () => {
  const sink = await receiver();
  const sdk = new NodeSDK({
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: sink.url }) })],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  sdk.start();
  registerTelemetry(new OpenTelemetry());
  const store = memoryStore();
  const behest = await testBehest({ store });
  const all = grants(tools, {
    read_file: true,
    send_mail: { to: is.email("@example.com"), subject: is.any, body: is.any },
  });
  const alice = await behest.as("alice-the-principal", all, { agent: "orchestrator" });

  const worker = new ToolLoopAgent(guard({ model: aiScripted(), tools: aiTools }));
  const orchestrator = createAgent({
    model: scripted([{ name: "helper", args: { q: "x" } } as never]),
    tools: [
      subagentTool({
        name: "helper",
        description: "helps",
        schema: z.object({ q: z.string() }),
        delegate: { agent: "worker", tools: all },
        run: async ({ q }) => (await worker.generate({ prompt: q })).text,
      }),
    ],
    middleware: behestMiddleware(),
  });
  await alice.run(() =>
    createAgent({ model: scripted(), tools, middleware: behestMiddleware() }).invoke({ messages }),
  );
  await alice.run(() => orchestrator.invoke({ messages }));
  await behest.records.list();
  const entries = await everyEntry(store);
  const reader = readStore(store);
  const report = await verifyLog({
    entries: reader.entries(),
    checkpoint: await reader.checkpoint(),
    owner: behest.owner,
  });
  expect(report.findings.filter(({ state }) => state === "failed" || state === "missing")).toEqual([]);
  await behest.close();
  await sdk.shutdown();
  await sink.stop();
  for (const api of [trace, context, propagation]) api.disable();

  const actions = sink.spans.filter((span) => "behest.proof" in attributesOf(span));
  const verdicts = actions.map((span) => `${span.name} ${attributesOf(span)["behest.verdict"]}`);
  const each = [
    "execute_tool read_file permit",
    "execute_tool read_file permit",
    "execute_tool send_mail permit",
    "execute_tool send_mail deny",
  ];
  expect(verdicts.toSorted()).toEqual([...each, ...each].toSorted());
  const key = publicKey(entryKey(entries));
  for (const span of actions) {
    const told = attributesOf(span);
    const proven = await verifySpanProof(told["behest.proof"]!, key);
    expect({ trace: span.traceId, span: span.spanId, tool: told["gen_ai.tool.name"] }).toEqual({
      trace: proven.trace,
      span: proven.span,
      tool: proven.tool,
    });
    for (const name of ["action", "verdict", "principal", "delegation", "entry", "head"] as const)
      expect(told[`behest.${name}`]).toBe(proven[name]);
    expect(
      entries.some(({ hash, payload }) => hash === proven.entry && payload["action"] === proven.action),
    ).toBe(true);
    await expect(verifySpanProof(told["behest.proof"]!.replace(/^./, "f"), key)).rejects.toBeDefined();
  }

  const byId = new Map(sink.spans.map((span) => [span.spanId, span]));
  const path = (span: WireSpan | undefined): string[] =>
    span ? [span.name, ...path(byId.get(span.parentSpanId ?? ""))] : [];
  const deepest = actions.map(path).find((names) => names.includes("invoke_agent worker"))!;
  expect(deepest[0]).toBe("execute_tool read_file");
  // The AI SDK's own span of the tool call, with ours right under it; below, the sub-agent; below, the orchestrator.
  expect(deepest[1]).toBe("execute_tool read_file");
  expect(deepest.indexOf("invoke_agent orchestrator")).toBeGreaterThan(
    deepest.indexOf("invoke_agent worker"),
  );

  const ours = JSON.stringify(
    sink.spans.filter((span) => Object.keys(attributesOf(span)).some((name) => name.startsWith("behest."))),
  );
  for (const secret of ["alice-the-principal", "eve@evil.test", "bob@example.com", "friday.md"])
    expect(ours).not.toContain(secret);
});

async function everyEntry(
  store: ReturnType<typeof memoryStore>,
): Promise<{ hash: string; payload: { [name: string]: unknown } }[]> {
  const found: { hash: string; payload: { [name: string]: unknown } }[] = [];
  for await (const jws of readStore(store).entries()) {
    const { hash, payload } = parseEntry(jws);
    found.push({ hash, payload: JSON.parse(payload) as { [name: string]: unknown } });
  }
  return found;
}

function entryKey(entries: readonly { payload: { [name: string]: unknown } }[]): unknown {
  const certificate = entries
    .map(({ payload }) => payload["certificate"])
    .find((jws) => typeof jws === "string") as string;
  return (
    JSON.parse(Buffer.from(certificate.split(".")[1]!, "base64url").toString()) as { cnf: { jwk: unknown } }
  ).cnf.jwk;
}
