import { context, metrics, propagation, trace } from "@opentelemetry/api";
import * as sdk from "@opentelemetry/sdk-metrics";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
import { canonical } from "@behest/jws";
import { type OverrideStatement, signOverrideStatement } from "@behest/provenance";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Estate, decideAll, pay, said, tools } from "../../test/estate.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { pending } from "../adapter.ts";
import { vaultOf } from "../record/content.ts";
import { type Override, draftOverride, signOverride } from "./override.ts";

const yes = { decision: "approve" } as const;
const no = { decision: "deny" } as const;
const HOUR = 3_600_000;
/** Nothing is paid; looking waits. */
const POLICIES = `permit(principal, action, resource);
@id("frozen") @reason("payments are frozen.") forbid(principal, action, resource) when { context.tool == "pay" };
@id("look") @ask("group:finance") @reason("it looks.") forbid(principal, action, resource) when { context.tool == "look" };
`;

afterEach(() => {
  metrics.disable();
  vi.restoreAllMocks();
});

async function opened(kind: "memory" | "sqlite" = "memory", restrictions: object = {}) {
  const warned: string[] = [];
  vi.spyOn(process, "emitWarning").mockImplementation(((_: string, { code }: { code: string }) =>
    warned.push(code)) as never);
  const folder = new PolicyFolder({ "a.cedar": POLICIES });
  const estate = await Estate.make(kind);
  const behest = await estate.open({ policy: folder.path });
  const delegation = await estate.delegate(restrictions);
  const session = await behest.open(delegation, { run: "r" });
  const draft = (change: object = {}): Override =>
    draftOverride({
      delegation,
      reason: "the gateway is down",
      expires: estate.time.now + HOUR / 2,
      ...change,
    });
  const sign = async (
    override: Override,
    by = estate.people.warden,
    decision: typeof yes | typeof no = yes,
  ) => behest.approvals.submitAhead(await signOverride(override, decision, by));
  const look = (callId: string, args: { at?: string } = {}): Promise<string> =>
    said(session.perform({ tool: "look", args, callId }, async () => 1));
  const close = async (): Promise<void> => {
    expect(await estate.objections()).toEqual([]);
    await behest.close();
    estate[Symbol.dispose]();
    folder[Symbol.dispose]();
  };
  return { estate, behest, delegation, session, draft, sign, look, warned, close };
}

describe.each(["memory", "sqlite"] as const)("break-glass, %s store", (kind) => {
  test("it lifts what policies deny or want approved, and every record says so", async () => {
    const { behest, session, draft, sign, look, warned, close } = await opened(kind);
    expect(await pay(session, "1")).toBe("policy_denied");
    expect(await look("2")).toBe("approval_needed");
    expect(warned).toEqual([]);
    const override = draft();
    await sign(override);
    expect(warned).toEqual(["BEHEST_BREAK_GLASS"]);
    expect(await pay(session, "3")).toBe("done");
    // What waited goes ahead too, and waits no more.
    expect(await pending(session, { tool: "look", args: {}, callId: "2" })).toBeUndefined();
    expect(await look("2")).toBe("done");
    expect(await behest.approvals.list()).toEqual([]);
    const child = await session.delegate({ tools });
    expect(await pay(child, "4")).toBe("done");
    expect(warned).toHaveLength(1);

    const touched = (await behest.records.list()).filter(({ code }) => code === "break_glass");
    expect(touched.map(({ tool, verdict }) => [tool, verdict])).toEqual([
      ["pay", "permit"],
      ["look", "permit"],
      ["pay", "permit"],
    ]);
    const full = await behest.records.get(touched[0]!.index);
    expect(full!.entries).toMatchObject({
      action: { links: { override: expect.any(String) as string } },
      approvals: [{ kind: "override", content: { reason: override.about.reason } }],
    });
    expect(
      full!.entries.action.findings.map(({ check, code, rule }) => [check, code, rule]).slice(-2),
    ).toEqual([
      ["policy", "policy_denied", "a.cedar#frozen"],
      ["override", "break_glass", override.about.reason],
    ]);
    expect(await behest.approvals.stats()).toMatchObject({ asked: 1, approved: 0, denied: 0 });
    expect(await behest.approvals.ahead()).toMatchObject({
      mandates: [],
      overrides: [{ id: override.about.reason, principal: "alice", override }],
    });
    await sign(override, undefined, no);
    expect(await pay(session, "5")).toBe("policy_denied");
    expect((await behest.approvals.ahead()).overrides).toEqual([]);
    await close();
  });
});

test("what the delegation wants approved goes ahead too; what was not delegated does not", async () => {
  const restrictions = {
    approvals: { "*": { finance: 2 } },
    effects: ["read", "irreversible"],
    limits: { amount: { EUR: "10" } },
    tools: {
      pay: { to: { constraint_type: "exact", value: "bob" }, amount: { constraint_type: "wildcard" } },
    },
  };
  const { behest, session, draft, sign, close } = await opened("memory", restrictions);
  await sign(draft());
  expect(await pay(session, "1", 6)).toBe("done");
  const [first] = await behest.records.list();
  const { findings } = (await behest.records.get(first!.index))!.entries.action;
  expect(findings.map(({ check, code }) => `${check} ${code}`).slice(-3)).toEqual([
    "policy policy_denied",
    "approval approval_needed",
    "override break_glass",
  ]);
  expect(await pay(session, "2", 6)).toBe("budget_spent");
  expect(await pay(session, "3", 11)).toBe("budget_spent");
  expect(await pay(session, "4", 1, { to: "eve" })).toBe("argument_not_granted");
  expect(await said(session.perform({ tool: "look", args: {} }, async () => 1))).toBe("tool_not_granted");
  await close();
});

test("it is for its chain and its tools", async () => {
  const { estate, behest, session, draft, sign, look, close } = await opened();
  await sign(draft({ tools: ["look"] }));
  expect(await look("1")).toBe("done");
  expect(await pay(session, "2")).toBe("policy_denied");
  const sibling = await behest.open(await estate.delegate(), { run: "s" });
  expect(await said(sibling.perform({ tool: "look", args: {} }, async () => 1))).toBe("approval_needed");
  await close();
});

test("who is not in break-glass signs none, nor for longer than an hour, nor without a reason", async () => {
  const { estate, behest, session, draft, sign, close } = await opened();
  const invalid = { code: "approval_invalid" };
  const { cfo, warden } = estate.people;
  for (const by of [cfo, estate.holder]) await expect(sign(draft(), by)).rejects.toMatchObject(invalid);
  await expect(sign(draft({ expires: estate.time.now + HOUR + 2000 }))).rejects.toMatchObject(invalid);
  expect(() => draft({ reason: " " })).toThrow(expect.objectContaining(invalid));
  // Whatever signs it.
  const at = Math.floor(estate.time.now / 1000);
  const raw = async (change: Partial<OverrideStatement>, shown = draft()): Promise<void> => {
    const statement: OverrideStatement = { v: 1, decision: "approve", ...shown.about, iat: at, ...change };
    const { v: _, decision: __, iat: ___, ...about } = statement;
    const override: Override = { ...shown, about };
    await behest.approvals.submitAhead({ override, jws: await signOverrideStatement(statement, warden) });
  };
  for (const change of [
    { exp: at + 3601 },
    { iat: at + 120, exp: at + 600 },
    { exp: at - 1 },
    { iat: at - 1801 },
  ])
    await expect(raw(change)).rejects.toMatchObject(invalid);
  await expect(raw({}, { ...draft(), reason: "another" })).rejects.toMatchObject(invalid);
  // A clock that is a little ahead is none of that.
  expect(await pay(session, "1")).toBe("policy_denied");
  await raw({ iat: at + 30 });
  expect(await pay(session, "2")).toBe("done");
  await close();
});

test("after its time all is as before, by the store's clock as well", async () => {
  const { estate, session, draft, sign, close } = await opened();
  await sign(draft());
  expect(await pay(session, "1")).toBe("done");
  // It runs out between the judgment and the start.
  const { engine } = estate;
  const begin = engine.begin.bind(engine);
  const late = vi.spyOn(engine, "begin").mockImplementation(async (request) => {
    estate.time.now += HOUR;
    return begin(request);
  });
  expect(await pay(session, "2")).toBe("policy_denied");
  late.mockRestore();
  expect(await pay(session, "3")).toBe("policy_denied");
  await close();
});

test("what a person has denied does not go ahead", async () => {
  const { estate, behest, draft, sign, look, close } = await opened();
  expect(await look("1")).toBe("approval_needed");
  await decideAll(behest, estate.people.cfo, "deny");
  await sign(draft());
  expect(await look("1")).toBe("approval_denied");
  expect(await look("2", { at: "elsewhere" })).toBe("done");
  await close();
});

test("what persons have approved does not carry its mark", async () => {
  const { estate, behest, draft, sign, look, close } = await opened();
  expect(await look("1")).toBe("approval_needed");
  await decideAll(behest, estate.people.cfo);
  await sign(draft());
  expect(await look("1")).toBe("done");
  expect((await behest.records.list()).map(({ code }) => code)).toEqual(["approval_needed", "ok"]);
  await close();
});

test("a read that failed under it starts again under it, and after its time is only told", async () => {
  const { estate, behest, session, draft, sign, look, close } = await opened();
  const failing = (callId: string): Promise<string> =>
    said(session.perform({ tool: "look", args: {}, callId }, async () => Promise.reject(new Error("no"))));
  for (const call of ["1", "2"]) expect(await look(call)).toBe("approval_needed");
  await sign(draft());
  for (const call of ["1", "2", "3"]) expect(await failing(call)).toBe("failed");
  expect(await look("1")).toBe("done");
  estate.time.now += HOUR;
  for (const call of ["2", "3"]) expect(await look(call)).toBe("approval_denied");
  expect(await behest.approvals.list()).toEqual([]);
  expect((await behest.records.list()).filter(({ outcome }) => outcome === "done")).toHaveLength(1);
  await close();
});

test("one that was altered in the store lifts nothing", async () => {
  const { estate, session, draft, sign, close } = await opened();
  const override = draft({ tools: ["look"] });
  await sign(override);
  const { engine } = estate;
  const [row] = await engine.ahead({ since: 0 });
  const vault = vaultOf(row!.principal, (await engine.subject(row!.principal))!.key);
  const read = engine.ahead.bind(engine);
  const { tools: _, ...about } = override.about;
  for (const sealed of [
    vault.seal(row!.id, "ahead", canonical({ ...override, about })),
    new Uint8Array(40),
  ]) {
    engine.ahead = async (filter) => (await read(filter)).map((one) => ({ ...one, sealed }));
    expect(await pay(session, `${sealed.length}`)).toBe("policy_denied");
  }
  engine.ahead = read;
  await close();
});

test("its span names it", async () => {
  const exporter = new InMemorySpanExporter();
  const node = new NodeSDK({
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    metricReaders: [],
    logRecordProcessors: [],
    autoDetectResources: false,
  });
  node.start();
  const { behest, session, draft, sign, close } = await opened();
  await sign(draft());
  await pay(session, "1");
  const [record] = await behest.records.list();
  const { links } = (await behest.records.get(record!.index))!.entries.action;
  const span = exporter.getFinishedSpans().find(({ name }) => name === "execute_tool pay");
  expect(span!.attributes["behest.override"]).toBe(links.override);
  await close();
  await node.shutdown();
  for (const api of [trace, context, propagation]) api.disable();
});

test("its use is counted", async () => {
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter });
  metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  const { session, draft, sign, close } = await opened();
  await sign(draft());
  await pay(session, "1");
  await pay(session, "1");
  await reader.forceFlush();
  const found = exporter.getMetrics().at(-1)!.scopeMetrics[0]!.metrics;
  const used = found.find(({ descriptor }) => descriptor.name === "behest.override.used");
  expect(used!.dataPoints.map(({ attributes, value }) => [attributes, value])).toEqual([
    [{ "behest.tool": "pay" }, 1],
  ]);
  await reader.shutdown();
  await close();
});
