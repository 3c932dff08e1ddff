// LogRecords of entries as a collector gets them, over OTLP/HTTP from a real SDK.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { context, logs, metrics, propagation, trace } from "@opentelemetry/api";
import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { BatchLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { parseEntry } from "@behest/provenance";
import { expect, test } from "vitest";

const tools = { look: { "*": { constraint_type: "wildcard" } } };

interface WireLog {
  readonly eventName?: string;
  readonly traceId?: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string; readonly intValue?: number | string };
  }[];
}

/** What arrived of three actions, the log they are of, and how they ended. `url`: a sink that is not there. */
async function told(url?: string): Promise<{ records: WireLog[]; hashes: string[]; ended: string[] }> {
  const records: WireLog[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => (body += part));
    request.on("end", () => {
      if (request.url === "/v1/logs") records.push(...recordsIn(body));
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sink = url ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = url === undefined ? {} : { timeoutMillis: 500 };
  const sdk = new NodeSDK({
    spanProcessors: [
      new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${sink}/v1/traces`, ...options }) }),
    ],
    logRecordProcessors: [
      new BatchLogRecordProcessor({ exporter: new OTLPLogExporter({ url: `${sink}/v1/logs`, ...options }) }),
    ],
    metricReaders: [],
    autoDetectResources: false,
  });
  sdk.start();
  const store = memoryStore();
  const behest = await testBehest({ store, logs: "entries" });
  const hashes: string[] = [];
  const ended: string[] = [];
  try {
    const session = await behest.as("alice-the-principal", tools);
    for (const tool of ["look", "look", "drop"])
      await session
        .perform({ tool, args: { secret: "hidden" } }, async () => 1)
        .then(({ outcome }) => ended.push(outcome))
        .catch(({ code }: { code: string }) => ended.push(code));
    await behest.records.list();
    for await (const jws of readStore(store).entries()) hashes.push(parseEntry(jws).hash);
  } finally {
    await behest.close();
    await sdk.shutdown().catch(() => {});
    for (const api of [trace, context, propagation, logs, metrics]) api.disable();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return { records, hashes, ended };
}

function recordsIn(body: string): WireLog[] {
  const { resourceLogs } = JSON.parse(body) as {
    resourceLogs: { scopeLogs: { logRecords: WireLog[] }[] }[];
  };
  return resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap(({ logRecords }) => logRecords));
}

function attribute({ attributes }: WireLog, name: string): string | undefined {
  return attributes.find(({ key }) => key === name)?.value.stringValue;
}

test("every entry arrives as a LogRecord, on the trace of its action, and says nothing of its content", async () => {
  const { records, hashes, ended } = await told();
  expect(ended).toEqual(["done", "done", "tool_not_granted"]);
  expect(records.map((record) => attribute(record, "behest.entry"))).toEqual(hashes);
  expect(new Set(records.map(({ eventName }) => eventName))).toEqual(new Set(["behest.entry"]));
  const actions = records.filter((record) => attribute(record, "behest.type") === "action");
  expect(actions.map((record) => attribute(record, "behest.verdict"))).toEqual(["permit", "permit", "deny"]);
  for (const { traceId } of actions) expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  expect(JSON.stringify(records)).not.toMatch(/hidden|alice/);
});

test("with the exporter down nothing arrives, and the application does not notice", async () => {
  const { records, hashes, ended } = await told("http://127.0.0.1:9");
  expect(ended).toEqual(["done", "done", "tool_not_granted"]);
  expect(records).toEqual([]);
  expect(hashes.length).toBeGreaterThan(6);
});
