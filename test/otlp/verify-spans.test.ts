// Spans as a collector wrote them, beside the records of the same actions.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { context, propagation, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace";
import { type Reader, memoryStore, readStore } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { type SpanReport, verifySpans } from "@behest/evidence";
import { toBase64url } from "@behest/jws";
import { type EvidenceBundle, entryHash, parseHead, verifyLog } from "@behest/provenance";
import { expect, test } from "vitest";

const tools = { look: { "*": { constraint_type: "wildcard" } } };

/** What was posted while `act` ran, a line each, and the evidence of what was recorded. `url`: a sink that is not there. */
async function told(
  act: (behest: TestBehest, reader: Reader) => Promise<unknown>,
  url?: string,
): Promise<{ otlp: string; bundle: EvidenceBundle; owner: string }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      bodies.push(body);
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const sink = url ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
  const sdk = new NodeSDK({
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: sink, ...(url !== undefined && { timeoutMillis: 500 }) }),
      }),
    ],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  sdk.start();
  const store = memoryStore();
  const behest = await testBehest({ store });
  try {
    await act(behest, readStore(store));
    await behest.records.list();
    await sdk.shutdown().catch(() => {});
    return { otlp: bodies.join("\n"), bundle: await readStore(store).evidence(), owner: behest.owner };
  } finally {
    await behest.close();
    for (const api of [trace, context, propagation]) api.disable();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function three(behest: TestBehest): Promise<void> {
  const session = await behest.as("alice", tools);
  for (const tool of ["look", "look", "drop"])
    await session.perform({ tool, args: {} }, async () => 1).catch(() => {});
}

function states({ findings }: SpanReport): string[] {
  return findings.map(({ state }) => state).toSorted();
}

test("spans that a collector kept are verified against the records, and their heads against the log", async () => {
  const { otlp, bundle, owner } = await told(three);
  const report = (await verifySpans(otlp, bundle, { owner }))!;
  expect(report.ok).toBe(true);
  expect(states(report)).toEqual(["verified", "verified", "verified"]);
  for (const text of report.heads) {
    const head = parseHead(text);
    const log = await verifyLog({ entries: bundle.log, checkpoint: bundle.checkpoint, owner, head });
    expect(log.completeness).toBe(`complete up to ${text}`);
  }
});

test("what a back end changes, loses or makes up is told apart", async () => {
  const { otlp, bundle, owner } = await told(three);
  const verify = async (text: string, evidence = bundle): Promise<SpanReport> =>
    (await verifySpans(text, evidence, { owner }))!;
  const lost = '{"resourceSpans":[]}';
  expect(states(await verify(lost))).toEqual(Array.from({ length: 3 }, () => "record without span"));
  expect(await verify(lost)).toMatchObject({ ok: true });

  for (const [from, to] of [
    [/"permit"/, '"deny"'],
    [/"look"/, '"pay"'],
    [/("behest\.proof","value":\{"stringValue":"[^"]{40})./, "$1~"],
    [/"behest\.proof"/, '"behest.gone"'],
    [/"spanId":"[0-9a-f]{16}"/, '"spanId":"00000000000000aa"'],
    [/("behest\.head","value":\{"stringValue":")[0-9]+/, "$19"],
  ] as const) {
    const report = await verify(otlp.replace(from, to));
    expect(report.ok).toBe(false);
    expect(states(report)).toContain("altered");
  }

  const other = await told(three);
  expect(states(await verify(other.otlp))).toContain("altered");
  expect(await verifySpans("<html>", bundle, { owner })).toBeUndefined();
});

test("a span whose record is gone from the log is an alarm; one that a bundle hides is not", async () => {
  let rolledBack: EvidenceBundle | undefined;
  const { otlp, bundle, owner } = await told(async (behest, reader) => {
    const session = await behest.as("alice", tools);
    await session.perform({ tool: "look", args: {} }, async () => 1);
    await session.perform({ tool: "look", args: {} }, async () => 1);
    rolledBack = await reader.evidence();
    await session.perform({ tool: "drop", args: {} }, async () => 1).catch(() => {});
  });
  const gone = (await verifySpans(otlp, rolledBack!, { owner }))!;
  expect(states(gone)).toEqual(["span without record", "verified", "verified"]);
  expect(gone.ok).toBe(false);
  const last = bundle.log.length - 1;
  const part: EvidenceBundle = {
    ...bundle,
    log: bundle.log.map((entry, i) =>
      i === last ? { level: 0, hash: toBase64url(entryHash(entry as string)) } : entry,
    ),
  };
  const hidden = (await verifySpans(otlp, part, { owner }))!;
  expect(states(hidden)).toEqual(["record not shown", "verified", "verified"]);
  expect(hidden.ok).toBe(true);
});

test("with the exporter down 10,000 spans are lost, and no record is", async () => {
  const actions = 10_000;
  const { otlp, bundle, owner } = await told(async (behest) => {
    const session = await behest.as("alice", tools);
    for (let i = 0; i < actions; i += 100)
      await Promise.all(
        Array.from({ length: 100 }, () => session.perform({ tool: "look", args: {} }, async () => 1)),
      );
  }, "http://127.0.0.1:9/v1/traces");
  expect(otlp).toBe("");
  const report = (await verifySpans('{"resourceSpans":[]}', bundle, { owner }))!;
  expect(report.log).toMatchObject({ ok: true, counts: { action: actions, outcome: actions } });
  expect(states(report)).toEqual(Array.from({ length: actions }, () => "record without span"));
});
