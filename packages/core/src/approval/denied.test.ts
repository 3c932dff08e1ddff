import { afterEach, expect, test, vi } from "vitest";
import { Estate, decideAll, pay, said } from "../../test/estate.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { signDecision } from "./approval.ts";
import { draftMandate, signMandate } from "./mandate.ts";
import { draftOverride, signOverride } from "./override.ts";
import { loadPolicies } from "../policy/policies.ts";
import type { Session } from "../types.ts";

const HOUR = 3_600_000;
const ASK = `permit(principal, action, resource);
@id("p") @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };`;

/** It asks until so many have passed. */
function night({ time }: Estate, hours = 1): string {
  const until = Math.floor((time.now + hours * HOUR) / 1000);
  return `permit(principal, action, resource);
@id("night") @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" && context.now < ${until} };`;
}

afterEach(() => void vi.restoreAllMocks());

/** Persons sign by the estate's time, too. */
function followed(estate: Estate): void {
  vi.spyOn(Date, "now").mockImplementation(() => estate.time.now);
}

function deferred(session: Session, ran: unknown[]): Promise<string> {
  const call = { tool: "pay", args: { to: "bob", amount: 5 }, callId: "1" };
  return said(session.perform(call, async () => ran.push(1)));
}

test("what a person has denied does not start when policies permit it later", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": night(estate) });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r" });
  expect(await pay(session, "1")).toBe("approval_needed");
  await decideAll(behest, estate.people.cfo, "deny");
  expect(await pay(session, "1")).toBe("approval_denied");
  estate.time.now += HOUR + 1;
  expect(await pay(session, "1")).toBe("approval_denied");
  // Another call was never asked for.
  expect(await pay(session, "2")).toBe("done");
  expect(await estate.objections()).toEqual([]);
});

test("nor at a restart under policies that permit it; what nobody has decided on starts under them", async () => {
  using estate = await Estate.make("sqlite");
  using folder = new PolicyFolder({ "a.cedar": ASK });
  const delegation = await estate.delegate();
  {
    await using behest = await estate.open({ policy: folder.path });
    const session = await behest.open(delegation, { run: "r" });
    expect(await pay(session, "1")).toBe("approval_needed");
    await decideAll(behest, estate.people.cfo, "deny");
    expect(await pay(session, "2")).toBe("approval_needed");
  }
  await using behest = await estate.open({ policy: "grants-alone" });
  const session = await behest.open(delegation, { run: "r" });
  expect(await pay(session, "1")).toBe("approval_denied");
  expect(await pay(session, "2", 6)).toBe("action_conflict");
  expect(await pay(session, "2")).toBe("done");
  expect(await behest.approvals.list()).toEqual([]);
  expect(await estate.objections()).toEqual([]);
});

test("what waits goes on waiting under the same policies, and starts on what persons approved", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": night(estate) });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r" });
  expect(await pay(session, "1")).toBe("approval_needed");
  estate.time.now += HOUR + 1;
  expect(await pay(session, "1")).toBe("approval_needed");
  followed(estate);
  await decideAll(behest, estate.people.cfo);
  expect(await pay(session, "1")).toBe("done");
  expect(await estate.objections()).toEqual([]);
});

test("what nobody approved in time stays refused when policies permit it later", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": night(estate) });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r" });
  expect(await pay(session, "1")).toBe("approval_needed");
  estate.time.now += 24 * HOUR + 1;
  expect(await pay(session, "1")).toBe("approval_denied");
  expect(await estate.objections()).toEqual([]);
});

test("a deferred call is not made by the denial that wakes it", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": night(estate) });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r", waiting: "defer" });
  const ran: unknown[] = [];
  expect(await deferred(session, ran)).toBe("approval_deferred");
  estate.time.now += HOUR + 1;
  await decideAll(behest, estate.people.cfo, "deny");
  const [one] = session.deferred();
  expect(await one!.outcome).toMatchObject({ outcome: "refused", code: "approval_denied" });
  expect(ran).toEqual([]);
  expect(await estate.objections()).toEqual([]);
});

test("nor by the end of its time", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": night(estate) });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r", waiting: "defer" });
  const ran: unknown[] = [];
  expect(await deferred(session, ran)).toBe("approval_deferred");
  const [one] = session.deferred();
  estate.time.now += 24 * HOUR + 5000;
  expect(await one!.outcome).toMatchObject({ outcome: "refused", code: "approval_denied" });
  expect(ran).toEqual([]);
  expect(await estate.objections()).toEqual([]);
});

test("the denial of a plan outlives the plan's own time", async () => {
  using estate = await Estate.make("sqlite");
  using folder = new PolicyFolder({ "a.cedar": ASK });
  await using behest = await estate.open({ policy: folder.path });
  followed(estate);
  const session = await behest.open(await estate.delegate(), { run: "r" });
  await pay(session, "1");
  estate.time.now += HOUR;
  await pay(session, "2");
  const plan = await behest.approvals.list({ group: "finance" });
  const ids = plan.map(({ id }) => id);
  const denial = await signDecision(plan, { decision: "deny" }, estate.people.clerk);
  await behest.approvals.submit(ids, denial);
  estate.time.now += 23 * HOUR + 5000;
  expect(await behest.approvals.list()).toEqual([]);
  const approval = await signDecision(plan[1]!, { decision: "approve" }, estate.people.cfo);
  const missing = { code: "approval_missing" };
  await expect(behest.approvals.submit(ids[1]!, approval)).rejects.toMatchObject(missing);
  expect(await pay(session, "2")).toBe("approval_denied");
  expect(await estate.objections()).toEqual([]);
});

test("a denial outlives its signer's leaving", async () => {
  using estate = await Estate.make("sqlite");
  using folder = new PolicyFolder({ "a.cedar": ASK });
  const delegation = await estate.delegate();
  {
    await using behest = await estate.open({ policy: folder.path });
    await pay(await behest.open(delegation, { run: "r" }), "1");
  }
  let behest = await estate.open({ policy: folder.path });
  const [one] = await decideAll(behest, estate.people.clerk, "deny");
  await behest.close();
  await estate.withdraw("clerk");
  behest = await estate.open({ policy: folder.path });
  const session = await behest.open(delegation, { run: "r" });
  const approval = await signDecision(one!, { decision: "approve" }, estate.people.cfo);
  const missing = { code: "approval_missing" };
  await expect(behest.approvals.submit(one!.id, approval)).rejects.toMatchObject(missing);
  expect(await pay(session, "1")).toBe("approval_denied");
  expect(await estate.objections()).toEqual([]);
  await behest.close();
});

test.each(["memory", "sqlite"] as const)("a denial outlives a clock that is set back (%s)", async (kind) => {
  using estate = await Estate.make(kind);
  using folder = new PolicyFolder({ "a.cedar": ASK });
  await using behest = await estate.open({ policy: folder.path });
  followed(estate);
  const session = await behest.open(await estate.delegate(), { run: "r" });
  await pay(session, "1");
  await decideAll(behest, estate.people.cfo);
  estate.time.now += 130_000;
  await decideAll(behest, estate.people.clerk, "deny");
  estate.time.now -= 120_000;
  expect(await pay(session, "1")).toBe("approval_denied");
  expect(await estate.objections()).toEqual([]);
});

test("neither a mandate nor an override starts under another id what was denied in the same run", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": ASK });
  await using behest = await estate.open({ policy: folder.path });
  const delegation = await estate.delegate();
  const session = await behest.open(delegation, { run: "r" });
  await pay(session, "1");
  await decideAll(behest, estate.people.cfo, "deny");
  const expires = estate.time.now + HOUR;
  const { digest: policy } = await loadPolicies(folder.path);
  const constraints = { "*": { constraint_type: "wildcard" } } as const;
  const terms = { delegation, tool: "pay", constraints, count: 9, group: "finance", policy, expires };
  const mandate = await signMandate(draftMandate(terms), { decision: "approve" }, estate.people.cfo);
  await behest.approvals.submitAhead(mandate);
  expect(await pay(session, "2")).toBe("approval_needed");
  expect(await pay(session, "3", 6)).toBe("done");
  const override = draftOverride({ delegation, reason: "down", expires });
  await behest.approvals.submitAhead(
    await signOverride(override, { decision: "approve" }, estate.people.warden),
  );
  const child = await session.delegate({ tools: { pay: constraints } });
  expect(await pay(child, "4")).toBe("approval_needed");
  // It is for the persons to say.
  await decideAll(behest, estate.people.cfo);
  expect(await pay(session, "2")).toBe("done");
  expect(await pay(await behest.open(delegation, { run: "s" }), "1")).toBe("done");
  expect(await estate.objections()).toEqual([]);
});

test("nor does an override once policies forbid it; what had started under it is told", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  using estate = await Estate.make();
  const until = Math.floor((estate.time.now + HOUR) / 1000);
  using folder = new PolicyFolder({
    "a.cedar": `${night(estate)}
@id("after") forbid(principal, action, resource) when { context.tool == "pay" && context.now >= ${until} };`,
  });
  await using behest = await estate.open({ policy: folder.path });
  const delegation = await estate.delegate();
  const session = await behest.open(delegation, { run: "r" });
  await pay(session, "1");
  estate.time.now += HOUR + 1;
  followed(estate);
  const override = draftOverride({ delegation, reason: "down", expires: estate.time.now + HOUR / 2 });
  await behest.approvals.submitAhead(
    await signOverride(override, { decision: "approve" }, estate.people.warden),
  );
  expect(await pay(session, "2")).toBe("done");
  await decideAll(behest, estate.people.cfo, "deny");
  expect(await pay(session, "2")).toBe("done");
  expect(await pay(session, "3")).toBe("approval_denied");
  expect(await pay(session, "4", 6)).toBe("done");
  expect(await estate.objections()).toEqual([]);
});
