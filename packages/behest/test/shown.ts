import { readFileSync, writeFileSync } from "node:fs";
import { createBehest } from "@behest/core";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";

/**
 * `shown.ts <delegation> <reads> <spans file> <witness as JSON, or ->`: an agent that reads, whose spans are collected, and
 * whose log is shown to a witness. Says which warnings there were.
 */
const [delegation, reads, spans, at] = process.argv.slice(2) as [string, string, string, string];
const exporter = new InMemorySpanExporter();
const sdk = new NodeSDK({
  spanProcessors: [new SimpleSpanProcessor({ exporter })],
  metricReaders: [],
  logRecordProcessors: [],
  autoDetectResources: false,
});
sdk.start();
const warnings: string[] = [];
process.on("warning", (warning) => warnings.push((warning as { code?: string }).code ?? ""));
const witnesses = at === "-" ? {} : { witnesses: { at: [JSON.parse(at) as { url: string; vkey: string }] } };
const behest = await createBehest(witnesses);
const session = await behest.open(readFileSync(delegation, "utf8"), { agent: "assistant" });
for (let i = 0; i < Number(reads); i++)
  await session.perform({ tool: "read_file", args: { path: `/docs/${i}` } }, async () => "text");
await behest.close();
const collected = exporter.getFinishedSpans().map((span) => ({
  ...span.spanContext(),
  name: span.name,
  attributes: Object.entries(span.attributes).map(([key, value]) => ({
    key,
    value: { stringValue: String(value) },
  })),
}));
writeFileSync(spans, JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: collected }] }] }));
await sdk.shutdown();
await new Promise((resolve) => setImmediate(resolve));
console.log(warnings.filter((code) => code.startsWith("BEHEST_WITNESS")).join() || "quiet");
