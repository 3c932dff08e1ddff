import { metrics } from "@opentelemetry/api";
import { issueDelegation } from "@behest/delegation";
import * as sdk from "@opentelemetry/sdk-metrics";
import { afterEach, expect, test } from "vitest";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { signDecision } from "./approval.ts";
import { ENOUGH } from "./fatigue.ts";
import { testBehest } from "../testing.ts";

afterEach(() => metrics.disable());

async function deployment() {
  const time = { now: Date.now() };
  const behest = await testBehest({ clock: () => time.now });
  const { iss, signer } = behest.issuer;
  const claims = { issuer: iss, holder: behest.holder.jwk, principal: "alice", task: "t" } as const;
  const approvals = { pay: { finance: 1 } };
  const now = Math.floor(time.now / 1000);
  const delegation = await issueDelegation(
    { ...claims, tools: { pay: {} }, expiresIn: "7d", approvals, now },
    signer,
  );
  const session = await behest.open(delegation, { run: "chat" });
  let calls = 0;
  /** Asks, and answers `after` ms later; not at all without an answer. */
  const ask = async (answer?: "approve" | "deny", after = 0): Promise<void> => {
    const call = session.perform({ tool: "pay", args: {}, callId: `c${calls++}` }, async () => "paid");
    await expect(call).rejects.toMatchObject({ code: "approval_needed" });
    if (!answer) return;
    const approval = (await behest.approvals.list()).at(-1)!;
    time.now += after;
    const decision = await signDecision(approval, { decision: answer }, behest.approver("finance"));
    await behest.approvals.submit(approval.id, decision);
  };
  return { behest, session, ask };
}

test("a rule that is nearly always approved, at once, is flagged; a few answers flag nothing", async () => {
  const { behest, ask } = await deployment();
  for (let i = 0; i < ENOUGH - 1; i++) await ask("approve", 500);
  expect((await behest.approvals.stats()).rules[0]!.flags).toEqual([]);
  await ask("approve", 90_000);
  await ask();
  expect(await behest.approvals.stats()).toEqual({
    asked: ENOUGH + 1,
    approved: ENOUGH,
    denied: 0,
    runs: 1,
    perRun: ENOUGH + 1,
    rules: [
      {
        rule: "approval",
        asked: ENOUGH + 1,
        approved: ENOUGH,
        denied: 0,
        median: 500,
        flags: ["always_approved", "too_fast"],
      },
    ],
  });
  await behest.close();
});

test("a rule whose answers differ and take their time is not", async () => {
  const { behest, ask } = await deployment();
  for (let i = 0; i < ENOUGH; i++) await ask(i % 10 === 0 ? "deny" : "approve", 5000);
  expect((await behest.approvals.stats()).rules).toEqual([
    { rule: "approval", asked: ENOUGH, approved: 18, denied: 2, median: 5000, flags: [] },
  ]);
  await behest.close();
});

test("each of many policies that make one action wait is counted, by its name", async () => {
  const ids = Array.from({ length: 30 }, (_, i) => `rule-${i}`);
  const asking = ids.map((id) => `@id("${id}") @ask("group:finance") forbid(principal, action, resource);`);
  using folder = new PolicyFolder({
    "a.cedar": `permit(principal, action, resource);\n${asking.join("\n")}`,
  });
  await using behest = await testBehest({ policy: folder.path });
  const session = await behest.as("alice", { pay: {} });
  const call = session.perform({ tool: "pay", args: {} }, async () => "paid");
  await expect(call).rejects.toMatchObject({ code: "approval_needed" });
  const { rules } = await behest.approvals.stats();
  expect(rules.map(({ rule }) => rule).toSorted()).toEqual(ids.map((id) => `a.cedar#${id}`).toSorted());
  for (const { asked } of rules) expect(asked).toBe(1);
});

test("where nobody was ever asked there is nothing to tell", async () => {
  const { behest } = await deployment();
  expect(await behest.approvals.stats()).toEqual({
    asked: 0,
    approved: 0,
    denied: 0,
    runs: 0,
    perRun: 0,
    rules: [],
  });
  await behest.close();
});

test("asks and decisions are measured, once each, by rule", async () => {
  const exporter = new sdk.InMemoryMetricExporter(sdk.AggregationTemporality.CUMULATIVE);
  const reader = new sdk.PeriodicExportingMetricReader({ exporter });
  metrics.setGlobalMeterProvider(new sdk.MeterProvider({ readers: [reader] }));
  const { behest, session, ask } = await deployment();
  await ask("approve", 4000);
  // Asked again, it is the same ask.
  await session.perform({ tool: "pay", args: {}, callId: "c0" }, async () => "paid");
  await ask("deny", 1000);
  await reader.forceFlush();
  const found = exporter.getMetrics().at(-1)!.scopeMetrics[0]!.metrics;
  const points = found.map(({ descriptor, dataPoints }) => [
    descriptor.name,
    dataPoints.map(({ attributes, value }) => [
      attributes,
      typeof value === "number" ? value : (value as { sum: number }).sum,
    ]),
  ]);
  expect(points).toEqual([
    ["behest.approval.asked", [[{ "behest.rule": "approval" }, 2]]],
    [
      "behest.approval.time",
      [
        [{ "behest.rule": "approval", "behest.decision": "approve" }, 4000],
        [{ "behest.rule": "approval", "behest.decision": "deny" }, 1000],
      ],
    ],
  ]);
  await reader.shutdown();
  await behest.close();
});
