import { metrics } from "@opentelemetry/api";
import * as sdk from "@opentelemetry/sdk-metrics";
import { generateHolder, issueDelegation } from "@behest/delegation";
import { signCut } from "@behest/provenance";
import { afterEach, expect, test, vi } from "vitest";
import { Estate, pay, said } from "../../test/estate.ts";
import { hook } from "../../test/hook.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { until } from "../../test/until.ts";
import { signDecision } from "../approval/approval.ts";
import { draftOverride, signOverride } from "../approval/override.ts";
import { testBehest } from "../testing.ts";
import type { Alert, AlertOptions } from "./alert.ts";

const HOUR = 3_600_000;

afterEach(() => {
  metrics.disable();
  vi.restoreAllMocks();
});

/** What is sent, without the time. */
function collected(): { readonly sent: Omit<Alert, "at" | "v" | "log">[]; readonly options: AlertOptions } {
  const sent: Omit<Alert, "at" | "v" | "log">[] = [];
  return {
    sent,
    options: {
      send: ({ at: _, v: __, log: ___, ...alert }) => sent.push(alert),
      denials: { count: 5, seconds: 60 },
    },
  };
}

function quiet(): void {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
}

test("a burst of denials on one principal's behalf is told once, by pseudonym; slow ones are not", async () => {
  const { sent, options } = collected();
  using estate = await Estate.make();
  const behest = await estate.open({ alerts: options });
  const [alice, bob] = await Promise.all(
    ["alice", "bob"].map(async (who) => behest.open(await estate.delegate({}, who))),
  );
  const drop = (session: typeof alice): Promise<string> =>
    said(session!.perform({ tool: "drop", args: { secret: "hidden" } }, async () => 1));
  for (let i = 0; i < 12; i++) {
    await drop(alice);
    if (i % 4 === 0) await drop(bob);
  }
  estate.time.now += HOUR;
  for (let i = 0; i < 10; i++) {
    await drop(bob);
    estate.time.now += 20_000;
  }
  await behest.close();
  const [row] = await estate.engine.records({});
  const { principal, session } = row!;
  expect(sent).toEqual([{ event: "denials", code: "tool_not_granted", count: 5, principal, session }]);
  expect(JSON.stringify(sent)).not.toMatch(/hidden|alice|bob|drop/);
});

test("an override is told when it is signed and when it is used", async () => {
  quiet();
  const { sent, options } = collected();
  using folder = new PolicyFolder({
    "a.cedar":
      'permit(principal, action, resource);\nforbid(principal, action, resource) when { context.tool == "pay" };',
  });
  using estate = await Estate.make();
  const behest = await estate.open({ alerts: options, policy: folder.path });
  const delegation = await estate.delegate();
  const session = await behest.open(delegation);
  const override = draftOverride({ delegation, reason: "hidden", expires: estate.time.now + HOUR / 2 });
  await behest.approvals.submitAhead(
    await signOverride(override, { decision: "approve" }, estate.people.warden),
  );
  for (const id of ["a", "b", "c"]) expect(await pay(session, id)).toBe("done");
  estate.time.now += 61_000;
  expect(await pay(session, "d")).toBe("done");
  await behest.close();
  const { principal } = (await estate.engine.records({}))[0]!;
  const about = { event: "break_glass", principal };
  expect(sent).toEqual([
    { ...about, code: "approved", count: 1 },
    { ...about, code: "used", count: 1, session: session.id, tool: "pay" },
    { ...about, code: "used", count: 3, session: session.id, tool: "pay" },
  ]);
  expect(JSON.stringify(sent)).not.toMatch(/hidden|alice/);
});

test("a forged approval, a forged cut, a forged delegation and one that is another's are told", async () => {
  quiet();
  const { sent, options } = collected();
  const behest = await testBehest({ alerts: options });
  const forger = await generateHolder();
  const claims = { issuer: behest.issuer.iss, holder: behest.holder.jwk, principal: "alice", task: "t" };
  const asking = {
    ...claims,
    tools: { pay: {} },
    expiresIn: "1h" as const,
    approvals: { pay: { finance: 1 } },
  };
  const delegation = await issueDelegation(asking, behest.issuer.signer);
  const session = await behest.open(delegation, { run: "r" });
  await said(session.perform({ tool: "pay", args: {} }, async () => 1));
  const [waiting] = await behest.approvals.list();
  const decision = await signDecision(waiting!, { decision: "approve" }, forger);
  await expect(behest.approvals.submit(waiting!.id, decision)).rejects.toMatchObject({
    code: "approval_invalid",
  });
  const cut = await signCut({ principal: "alice" }, { reason: "r" }, forger);
  await expect(behest.revoke(cut)).rejects.toMatchObject({ code: "revocation_refused" });
  const forged = await issueDelegation(asking, forger);
  await expect(behest.open(forged)).rejects.toMatchObject({ code: "delegation_invalid" });
  await expect(behest.open(delegation, { holder: forger })).rejects.toMatchObject({
    code: "holder_mismatch",
  });
  await expect(behest.approvals.submit("nothing", decision)).rejects.toMatchObject({
    code: "approval_missing",
  });
  await behest.close();
  expect(sent).toEqual(
    ["approval_invalid", "revocation_refused", "delegation_invalid", "holder_mismatch"].map((code) => ({
      event: "verification_failed",
      code,
      count: 1,
    })),
  );
});

test("a forged cut that somebody wrote into the feed is told", async () => {
  quiet();
  const { sent, options } = collected();
  using estate = await Estate.make();
  const behest = await estate.open({ alerts: options });
  const cut = await signCut({ principal: "alice" }, { reason: "r" }, await generateHolder());
  await estate.engine.feed.append({ jws: cut.jws });
  await until(() => expect(sent.map(({ code }) => code)).toEqual(["revocation_refused"]));
  await behest.close();
});

test("stored content that was altered is told, where a run or a reader meets it", async () => {
  const { sent, options } = collected();
  using estate = await Estate.make();
  const behest = await estate.open({ alerts: options, content: "keep" });
  const delegation = await estate.delegate();
  expect(await pay(await behest.open(delegation, { run: "r" }), "a")).toBe("done");
  const [record] = await behest.records.list();
  const { engine } = estate;
  for (const { index } of [record!, { index: record!.index + 1 }])
    for (const { sealed } of await engine.content(index)) sealed[sealed.length - 1]! ^= 1;
  await expect(pay(await behest.open(delegation, { run: "r" }), "a")).resolves.toBeUndefined();
  await expect(behest.records.get(record!.index)).rejects.toThrow();
  expect(await pay(await behest.open(delegation, { run: "other" }), "b")).toBe("done");
  await behest.close();
  expect(sent).toEqual([{ event: "verification_failed", code: "content_altered", count: 1 }]);
});

test("a log that is not what was signed is told before the start fails", async () => {
  quiet();
  await using sink = await hook();
  using estate = await Estate.make("sqlite");
  const behest = await estate.open();
  await pay(await behest.open(await estate.delegate()), "a");
  await behest.close();
  estate.meddle("DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)");
  await expect(estate.open({ alerts: { url: sink.url } })).rejects.toMatchObject({ code: "store_mismatch" });
  expect(sink.alerts).toMatchObject([
    { event: "verification_failed", code: "store_mismatch", log: "estate.test/log", count: 1 },
  ]);
});

test("while the webhook is silent actions go on, and it is not asked twice at once", async () => {
  quiet();
  let [open, most] = [0, 0];
  await using sink = await hook((response) => {
    most = Math.max(most, ++open);
    response.on("close", () => open--);
  });
  using estate = await Estate.make();
  const behest = await estate.open({ alerts: { url: sink.url, denials: { count: 1, seconds: 0.001 } } });
  const session = await behest.open(await estate.delegate());
  for (let i = 0; i < 40; i++) {
    estate.time.now += 1000;
    await said(session.perform({ tool: "drop", args: {}, callId: `d${i}` }, async () => 1));
    expect(await pay(session, `p${i}`)).toBe("done");
  }
  await sink.came(1);
  await behest.close();
  expect(most).toBe(1);
});

test("denials and failed verifications are counted also without alerts; a made-up tool is no label", async () => {
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter });
  metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  const behest = await testBehest();
  const session = await behest.as("alice", {
    pay: { amount: { constraint_type: "exact", value: 1 } } as never,
  });
  for (const tool of ["made-up-1", "made-up-2", "pay"])
    await said(session.perform({ tool, args: { amount: 2 } }, async () => 1));
  await behest.revoke({ jws: "x" }).catch(() => {});
  await reader.forceFlush();
  await reader.shutdown();
  await behest.close();
  const found = exporter.getMetrics().at(-1)!.scopeMetrics[0]!.metrics;
  expect(
    found.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }) => [...Object.values(attributes), value]),
    ]),
  ).toEqual([
    [
      "behest.action.denied",
      [
        ["tool_not_granted", "(not granted)", 2],
        ["argument_not_granted", "pay", 1],
      ],
    ],
    ["behest.verification.failed", [["revocation_refused", 1]]],
  ]);
});

test.each([
  { count: 0, seconds: 1 },
  { count: 1.5, seconds: 1 },
  { count: 5, seconds: 0 },
  { count: 5, seconds: Number.NaN },
])("%j is no burst", async (denials) => {
  await expect(testBehest({ alerts: { send: () => {}, denials } })).rejects.toMatchObject({
    code: "config_invalid",
  });
});

test.each([
  {},
  { url: "https://a.test/", send: () => {} },
  { send: "https://a.test/" },
  { url: "http://a.test/" },
])("%j tells nobody, and is refused at the start", async (alerts) => {
  await expect(testBehest({ alerts: alerts as never })).rejects.toMatchObject({ code: "config_invalid" });
});
