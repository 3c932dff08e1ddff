import { canonical } from "@behest/jws";
import { type EntryPayload, type EvidenceBundle, headOf, signSpanProof } from "@behest/provenance";
import { beforeAll, expect, test } from "vitest";
import { AT, Deployment, emitterOf } from "../../provenance/test/deployment.ts";
import { type SpanReport, spansIn, verifySpans } from "./index.ts";

const [TRACE, SPAN] = ["a".repeat(32), "b".repeat(16)];
const access: EntryPayload = {
  v: 1,
  type: "access",
  at: AT,
  by: "p-9",
  what: "records",
  principals: ["p-1"],
  content: {},
  links: {},
};

let made: Deployment;
let entry: string;
let head: string;
/** Two processes write: the other's last entry says that somebody looked, before the action that the span is of. */
beforeAll(async () => {
  made = await Deployment.make();
  made.open();
  const first = made.emitter;
  const delegation = made.append(made.delegation());
  made.open(await emitterOf(made.enforcer), null);
  made.append(access);
  made.emitter = first;
  const trace = { trace: TRACE, span: SPAN };
  entry = made.append(
    made.action(delegation, { action: "one", change: { trace, verdict: "deny", attempt: 0 } }),
  );
  head = headOf(made.head());
});

function bundleOf(entries: readonly string[]): EvidenceBundle {
  const { emitter } = made;
  const log = Object.assign(Object.create(made) as Deployment, { entries });
  const parts = { tokens: {}, content: {}, documents: {}, cuts: {}, principals: {} };
  return {
    type: "behest-evidence",
    v: 1,
    checkpoint: log.checkpoint(emitter.signer),
    log: entries,
    ...parts,
  };
}

type Attributes = readonly (readonly [name: string, value: string])[];

/** The span, as its process wrote it: it says this of its action, and its attributes are then changed. */
function otlp(said: object = {}, change: (attributes: Attributes) => Attributes = (same) => same): string {
  const told = {
    action: "one",
    verdict: "deny",
    principal: "p-1",
    delegation: "root-1",
    entry,
    head,
    ...said,
  };
  const claims = { ...told, tool: "read_file", trace: TRACE, span: SPAN } as never;
  const attributes = change([
    ["gen_ai.tool.name", "read_file"],
    ...Object.entries(told).map(([name, value]) => [`behest.${name}`, String(value)] as const),
    ["behest.proof", signSpanProof(claims, made.emitter.signer)],
  ]).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const spans = [{ traceId: TRACE, spanId: SPAN, name: "x", attributes }];
  return canonical({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

async function verify(text: string, entries: readonly string[] = made.entries): Promise<SpanReport> {
  return (await verifySpans(text, bundleOf(entries), { owner: made.pin }))!;
}

function states({ findings }: SpanReport): string[] {
  return findings.flatMap(({ state, message = "" }) => `${state} ${message}`.trim());
}

test("a log from which another process's last entry was taken is not the one whose head a span carries", async () => {
  expect(await verify(otlp())).toMatchObject({ ok: true, findings: [{ state: "verified" }] });
  const rewritten = made.entries.toSpliced(3, 1);
  expect(await verify(canonical({ resourceSpans: [] }), rewritten)).toMatchObject({ ok: true });
  const report = await verify(otlp(), rewritten);
  expect(report.ok).toBe(false);
  expect(report.log.findings.map(({ code }) => code)).toContain("entries_missing");
});

test.for([
  ["principal", { principal: "p-2" }],
  ["delegation", { delegation: "root-2" }],
  ["verdict", { verdict: "permit" }],
] as const)("a process that signs another %s into a span than into the record", async ([what, said]) => {
  expect(states(await verify(otlp(said)))[0]).toBe(`altered its ${what} is not that of its record`);
});

test("a head that is none", async () => {
  expect(states(await verify(otlp({ head: "x" })))[0]).toMatch(/^altered/);
});

test.for([
  ["enforce", "shadow"],
  ["override", "x"],
  ["observed", "true"],
] as const)("a mark that its record does not have: %s", async ([name, value]) => {
  const report = await verify(otlp({}, (attributes) => [...attributes, [`behest.${name}`, value]]));
  expect(states(report)[0]).toBe(`altered its ${name} is not that of its record`);
});

test("an attribute that is there twice, in whatever order", async () => {
  for (const name of ["verdict", "proof", "action"]) {
    const first = await verify(otlp({}, (attributes) => [[`behest.${name}`, "permit"], ...attributes]));
    const last = await verify(otlp({}, (attributes) => [...attributes, [`behest.${name}`, "permit"]]));
    for (const report of [first, last]) expect(states(report)[0]).toMatch(/^altered/);
  }
});

test("what is no export of spans is none, instead of one in which nothing speaks against anything", () => {
  for (const text of ["{}", "[]", "5", "null", '{"resource_spans":[]}', '{"resourceLogs":[]}', ""])
    expect(spansIn(text)).toBeUndefined();
  expect(spansIn('{"resourceLogs":[]}\n{"resourceSpans":[]}\n')).toEqual([]);
});
