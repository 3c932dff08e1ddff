import { parseEntry, parsePayload } from "@behest/provenance";
import { expect, test } from "vitest";
import { PAY_SCHEMA, PolicyFolder } from "../../test/policy/folder.ts";
import { mayAsk, reportTools } from "../adapter.ts";
import { signDecision } from "../approval/approval.ts";
import { readStore } from "../record/reader.ts";
import { loadPolicies } from "../policy/policies.ts";
import { withProfile } from "../profile/profile.ts";
import { liveOf } from "../session/session.ts";
import { memoryStore } from "../store/memory.ts";
import { testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const POLICIES = `permit(principal, action, resource);
@id("large") @ask("group:finance", "2") @reason("it is a large sum.")
forbid(principal, action == Action::"pay", resource) when { context.args.amount.greaterThan(decimal("100.0")) };
@id("closed") @reason("this account is closed.")
forbid(principal, action, resource == Resource::"iban:DE9");
@id("deep") forbid(principal, action, resource) when { context.depth > 0 };
`;
const tools = { pay: {}, read: {} };
const profiles = {
  pay: {
    effect: "irreversible",
    boundary: "outside",
    control: ["to"],
    resource: (args: { to: string }) => `iban:${args.to}`,
    amount: (args: { amount: number }) => ({ value: args.amount, currency: "EUR" }),
  },
  read: { effect: "read", boundary: "inside" },
} as never;

test("policies decide last, nothing runs that they do not permit, and each entry says which they were", async () => {
  using folder = new PolicyFolder({ "a.cedar": POLICIES, "tools.cedarschema": PAY_SCHEMA });
  const store = memoryStore();
  await using behest = await testBehest({ policy: folder.path, profiles, store });
  const session = await behest.as("alice", tools);
  let runs = 0;
  const pay = (to: string, amount: number): Promise<unknown> =>
    session.perform({ tool: "pay", args: { to, amount } }, async () => ++runs);

  await expect(pay("DE1", 5)).resolves.toEqual({ outcome: "done", value: 1 });
  await expect(pay("DE1", 500)).rejects.toMatchObject({
    code: "approval_needed",
    waiting: { tool: "pay" },
    message: expect.stringMatching(
      /^pay: it is a large sum\. It needs the approval of 2 of "finance"\. /,
    ) as string,
  });
  await expect(pay("DE9", 500)).rejects.toMatchObject({
    code: "policy_denied",
    message: expect.stringMatching(/^pay: this account is closed\. /) as string,
  });
  await expect(pay("DE1", "500 secret" as never)).rejects.toMatchObject({
    code: "profile_invalid",
    message: expect.not.stringContaining("secret") as string,
  });
  const child = await session.delegate({ tools });
  await expect(child.perform({ tool: "read", args: {} }, async () => ++runs)).rejects.toMatchObject({
    code: "policy_denied",
  });
  expect(runs).toBe(1);

  const verdict = await session.authorize({ tool: "pay", args: { to: "DE1", amount: 500 } });
  expect(verdict.findings.at(-1)).toMatchObject({
    check: "policy",
    rule: "a.cedar#large",
    needs: [{ group: "finance", persons: 2 }],
  });
  const records = await behest.records.list();
  expect(records.map(({ code }) => code)).toEqual([
    "ok",
    "approval_needed",
    "policy_denied",
    "profile_invalid",
    "policy_denied",
  ]);
  const payloads = [];
  for await (const jws of readStore(store).entries()) payloads.push(parsePayload(parseEntry(jws).payload));
  const actions = payloads.filter((payload) => payload.type === "action");
  const digests = new Set(actions.map(({ policy }) => policy));
  expect(digests.size).toBe(1);
  expect([...digests][0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(actions.map(({ findings }) => findings.at(-1)!.rule)).toEqual([
    "a.cedar#1",
    "a.cedar#large",
    "a.cedar#closed",
    undefined,
    "a.cedar#deep",
  ]);
});

test("what a grant refuses no policy permits", async () => {
  using folder = new PolicyFolder({ "a.cedar": "permit(principal, action, resource);" });
  await using behest = await testBehest({ policy: folder.path });
  const session = await behest.as("alice", { pay: {} });
  await expect(session.authorize({ tool: "read", args: {} })).resolves.toMatchObject({
    verdict: "deny",
    findings: [{ check: "lineage" }, { check: "grant", code: "tool_not_granted" }],
  });
});

test("in tests a tool without a profile is a matter of its grant, one with a profile is not", async () => {
  await using behest = await testBehest({ profiles });
  const session = await behest.as("alice", { ...tools, unknown: {} });
  const verdicts = ["pay", "read", "unknown"].map(
    async (tool) => (await session.authorize({ tool, args: { to: "DE1", amount: 5 } })).verdict,
  );
  expect(await Promise.all(verdicts)).toEqual(["ask", "permit", "permit"]);
  expect([mayAsk(session, "pay"), mayAsk(session, "unknown")]).toEqual([true, false]);
  reportTools(session, [
    {
      tool: "unknown",
      kind: "wrapped",
      definition: withProfile({}, { effect: "read", boundary: "outside" }),
    },
  ]);
  expect(mayAsk(session, "unknown")).toBe(true);
  await using strict = await testBehest({ policy: "default" });
  const other = await strict.as("alice", { unknown: {} });
  expect(mayAsk(other, "unknown")).toBe(true);
  expect((await other.authorize({ tool: "unknown", args: {} })).verdict).toBe("ask");
});

test("on grants alone what is granted is permitted, and entries name no policies", async () => {
  await using behest = await testBehest({ policy: "grants-alone" });
  const session = await behest.as("alice", { pay: {} });
  const { findings, verdict } = await session.authorize({ tool: "pay", args: {} });
  expect(verdict).toBe("permit");
  expect(findings.map(({ check }) => check)).not.toContain("policy");
  await session.perform({ tool: "pay", args: {} }, async () => 1);
  const [record] = await behest.records.list();
  expect((await behest.records.get(record!.index))!.entries.action).not.toHaveProperty("policy");
});

test("a profile that does not say what it touches is a denial", async () => {
  for (const resource of [() => 5, () => ({}), () => JSON.parse("x") as string]) {
    const broken = { pay: { effect: "read", boundary: "inside", resource } } as never;
    await using behest = await testBehest({ policy: "default", profiles: broken });
    const session = await behest.as("alice", tools);
    await expect(session.authorize({ tool: "pay", args: {} })).resolves.toMatchObject({ verdict: "deny" });
  }
});

test("what cannot be committed to decides nothing: half of a sign that a model has put where a profile cuts", async () => {
  using folder = new PolicyFolder({ "a.cedar": "permit(principal, action, resource);" });
  const cut = ({ at }: { at: string }): string => at.slice(0, 1);
  for (const member of [{ workspace: cut }, { resource: cut }]) {
    const look = { effect: "read", boundary: "inside", ...member };
    await using behest = await testBehest({ policy: folder.path, profiles: { look } as never });
    const session = await behest.as("alice", { look: {} });
    expect(await session.authorize({ tool: "look", args: { at: "x" } })).toMatchObject({ verdict: "permit" });
    expect(await session.authorize({ tool: "look", args: { at: "😀" } })).toMatchObject({
      verdict: "deny",
      findings: [{}, {}, {}, { code: "profile_invalid" }],
    });
  }
});

test("the built-in default: effect by boundary", async () => {
  const table = [
    ["read", "inside", "ok"],
    ["read", "outside", "approval_needed"],
    ["reversible", "inside", "ok"],
    ["reversible", "outside", "approval_needed"],
    ["irreversible", "inside", "approval_needed"],
    ["irreversible", "outside", "approval_needed"],
  ] as const;
  const every = Object.fromEntries(
    table.map(([effect, boundary]) => [`${effect}-${boundary}`, { effect, boundary }]),
  );
  await using behest = await testBehest({ policy: "default", profiles: every });
  const granted = Object.fromEntries([...Object.keys(every), "unknown"].map((tool) => [tool, {}]));
  const session = await behest.as("alice", granted);
  const found = async (of: Session, tool: string): Promise<string> =>
    (await of.authorize({ tool, args: { url: "x" } })).findings.at(-1)!.code;
  for (const [effect, boundary, code] of table)
    expect([effect, boundary, await found(session, `${effect}-${boundary}`)]).toEqual([
      effect,
      boundary,
      code,
    ]);
  expect(await found(session, "unknown")).toBe("approval_needed");
  // Where it reads is held to an allow-list.
  const exact = { "read-outside": { url: { constraint_type: "exact", value: "x" } } } as const;
  expect(await found(await behest.as("alice", exact), "read-outside")).toBe("ok");
});

const ASKING = `permit(principal, action, resource);
@ask("group:finance", "1") forbid(principal, action, resource);`;

test("what a policy asks for waits, starts once it is approved, and not where policies ask for more by then", async () => {
  using folder = new PolicyFolder({ "a.cedar": ASKING });
  using stricter = new PolicyFolder({ "a.cedar": ASKING.replace('"1"', '"2"') });
  using forbidding = new PolicyFolder({ "a.cedar": `${ASKING}\nforbid(principal, action, resource);` });
  for (const [later, code] of [
    [folder.path, "ok"],
    [stricter.path, "approval_denied"],
    [forbidding.path, "policy_denied"],
  ] as const) {
    const config = { policy: folder.path };
    await using behest = await testBehest(config);
    const session = await behest.as("alice", tools, { run: "chat" });
    const pay = (): Promise<unknown> =>
      session.perform({ tool: "pay", args: {}, callId: "1" }, async () => "paid");
    await expect(pay()).rejects.toMatchObject({ code: "approval_needed" });
    const [approval] = await behest.approvals.list({ group: "finance" });
    expect(approval).toMatchObject({
      need: 1,
      why: expect.stringContaining("a policy forbids it") as string,
    });
    const decision = await signDecision(approval!, { decision: "approve" }, behest.approver("finance", 0));
    await behest.approvals.submit(approval!.id, decision);
    // The policies of a deployment are those that it started with.
    Object.assign(liveOf(session)!.deployment, { policies: await loadPolicies(later) });
    const ended = await pay().catch((error: unknown) => error);
    expect(ended).toMatchObject(code === "ok" ? { outcome: "done", value: "paid" } : { code });
  }
});
