import { expect, test } from "vitest";
import { PAY_SCHEMA, PolicyFolder, payment } from "../../test/policy/folder.ts";
import { loadPolicies } from "./policies.ts";
import type { Policies } from "./prepare.ts";
import type { PolicyRequest } from "./request.ts";

async function of(text: string, schema: string = PAY_SCHEMA): Promise<Policies> {
  using folder = new PolicyFolder({ "a.cedar": text, "tools.cedarschema": schema });
  return loadPolicies(folder.path);
}

const PERMIT = "permit(principal, action, resource);\n";
const GOOD = { to: "DE1", amount: "10.50" };

test.for<[name: string, policies: string, request: PolicyRequest, expected: object]>([
  ["what a policy permits", PERMIT, payment(GOOD), { decision: "permit", rules: ["a.cedar#1"] }],
  [
    "what none permits",
    'permit(principal, action, resource) when { context.tool == "read" };',
    payment(GOOD),
    { decision: "deny", rules: [], reasons: ["no policy permits it."] },
  ],
  [
    "a forbid with its reason",
    `${PERMIT}@id("cap") @reason("Too much at once.") forbid(principal, action == Action::"pay", resource) when { context.args.amount.greaterThan(decimal("10.0")) };`,
    payment(GOOD),
    { decision: "deny", rules: ["a.cedar#cap"], reasons: ["Too much at once."] },
  ],
  [
    "an integer where the schema says decimal",
    `${PERMIT}forbid(principal, action == Action::"pay", resource) when { context.args.amount.greaterThan(decimal("10.0")) };`,
    payment({ ...GOOD, amount: 11 }),
    { decision: "deny", rules: ["a.cedar#2"] },
  ],
  [
    "a group that the schema puts the tool in",
    `${PERMIT}forbid(principal, action in Action::"payments", resource);`,
    payment(GOOD),
    { decision: "deny", rules: ["a.cedar#2"] },
  ],
  [
    "the same group for a tool that is not in it",
    `${PERMIT}forbid(principal, action in Action::"payments", resource);`,
    payment({}, { tool: "read" }),
    { decision: "permit" },
  ],
  [
    "every tool is in the group tool",
    'permit(principal, action in Action::"tool", resource);',
    payment({}, { tool: "read" }),
    { decision: "permit" },
  ],
  [
    "where only a comment says that it is of every tool",
    `${PERMIT}forbid(principal, // action in Action::"tool"
       action in [Action::"tool"], resource) when { action in Action::"tool" };`,
    payment({}, { tool: "read" }),
    { decision: "deny", rules: ["a.cedar#2"] },
  ],
  [
    "a number that only a Long holds",
    `${PERMIT}forbid(principal, action in Action::"tool", resource) when { 9007199254740993 - context.depth == 9007199254740992 };`,
    payment({}, { tool: "read" }),
    { decision: "deny", rules: ["a.cedar#2"] },
  ],
  [
    "an ancestor's subtree",
    `${PERMIT}forbid(principal in Agent::"root", action, resource);`,
    payment(GOOD),
    { decision: "deny" },
  ],
  [
    "another's subtree",
    `${PERMIT}forbid(principal in Agent::"other", action, resource);`,
    payment(GOOD),
    { decision: "permit" },
  ],
  [
    "a person, by name and by place",
    `permit(principal in Principal::"https://issuer.test|alice", action, resource) when { principal.person.subject == "alice" };`,
    payment(GOOD),
    { decision: "permit" },
  ],
  [
    "a person as a whole",
    `${PERMIT}forbid(principal, action, resource) when { principal.person == { issuer: "https://issuer.test", subject: "alice" } };`,
    payment(GOOD),
    { decision: "deny", rules: ["a.cedar#2"] },
  ],
  [
    "an ask",
    `${PERMIT}@ask("group:finance", "2") @reason("It is money.") forbid(principal, action == Action::"pay", resource);`,
    payment(GOOD),
    {
      decision: "ask",
      rules: ["a.cedar#2"],
      reasons: ["It is money."],
      asks: [{ group: "finance", need: 2 }],
    },
  ],
  [
    "asks of several policies: the strictest of each group",
    `${PERMIT}@ask("group:b") forbid(principal, action, resource);
     @ask( "group:b" ,
        "3" ) forbid(principal, action, resource);
     @ask("group:a") forbid(principal, action, resource);`,
    payment(GOOD),
    {
      decision: "ask",
      rules: ["a.cedar#2", "a.cedar#3", "a.cedar#4"],
      asks: [
        { group: "a", need: 1 },
        { group: "b", need: 3 },
      ],
    },
  ],
  [
    "an ask beside a forbid that does not ask is a denial, by that forbid",
    `${PERMIT}@ask("group:a") forbid(principal, action, resource); @reason("Never.") forbid(principal, action, resource);`,
    payment(GOOD),
    { decision: "deny", rules: ["a.cedar#3"], reasons: ["Never."] },
  ],
  [
    "an ask for what nothing would permit is a denial",
    '@ask("group:a") forbid(principal, action, resource); permit(principal, action, resource) when { context.tool == "x" };',
    payment(GOOD),
    { decision: "deny", rules: [], reasons: ["no policy permits it."] },
  ],
  [
    "a group that has approved",
    `${PERMIT}@ask("group:a") forbid(principal, action, resource) unless { context.approvals.contains("a") };`,
    payment(GOOD, { approvals: ["a"] }),
    { decision: "permit" },
  ],
  [
    "a forbid that errs does not let anything pass",
    `${PERMIT}@id("sum") forbid(principal, action == Action::"pay", resource) when { context.args has count && context.args.count * 9223372036854775807 > 0 };`,
    payment({ ...GOOD, count: 2 }),
    { decision: "deny", rules: ["a.cedar#sum"], failed: true },
  ],
  [
    "time, as a number and as a date",
    'permit(principal, action, resource) when { context.now == 1795176000 && context.at == datetime("2026-11-20T12:00:00Z") };',
    payment(GOOD),
    { decision: "permit" },
  ],
  [
    "an amount in a currency",
    'permit(principal, action, resource) when { context has amount && context.amount.currency == "EUR" && context.amount.value.lessThan(decimal("5.0")) };',
    payment(GOOD, { amount: { value: 4.5, currency: "EUR" } }),
    { decision: "permit" },
  ],
  [
    "an amount that no decimal of Cedar is",
    PERMIT,
    payment(GOOD, { amount: { value: "0.00001", currency: "BTC" } }),
    { decision: "deny", failed: true },
  ],
  [
    "a workspace holds what lies below it",
    `permit(principal, action, resource) when { context has workspace && resource in context.workspace && resource in Workspace::"acme" };`,
    payment(GOOD, { within: "acme/finance", workspace: "acme/finance/eu" }),
    { decision: "permit" },
  ],
  [
    "a workspace that leads out of itself is none",
    'permit(principal, action, resource) when { resource in Workspace::"acme/finance" };',
    payment(GOOD, { workspace: "acme/finance/../legal" }),
    { decision: "deny", failed: true },
  ],
  [
    "a workspace does not hold what only begins alike",
    "permit(principal, action, resource) when { context has workspace && resource in context.workspace };",
    payment(GOOD, { within: "acme/fin", workspace: "acme/finance" }),
    { decision: "deny" },
  ],
  [
    "a set of records",
    `${PERMIT}forbid(principal, action == Action::"pay", resource) when { context.args has notes && !context.args.notes.isEmpty() };`,
    payment({ ...GOOD, notes: [{ text: "y" }, { text: "x" }] }),
    { decision: "deny", rules: ["a.cedar#2"] },
  ],
  [
    "arguments as one value",
    `permit(principal, action == Action::"pay", resource) when { [context.args].contains(context.args) };`,
    payment(GOOD),
    { decision: "permit" },
  ],
  [
    "an argument that the schema does not declare is shown to be hidden",
    "permit(principal, action, resource) when { context.argsComplete };",
    payment({ ...GOOD, memo: "x" }),
    { decision: "deny" },
  ],
  [
    "arguments of a tool that no schema declares are hidden",
    'permit(principal, action, resource) when { !context.argsComplete && context.tool == "read" };',
    payment({ path: "/" }, { tool: "read" }),
    { decision: "permit" },
  ],
  [
    "null where an argument may be missing",
    `${PERMIT}forbid(principal, action == Action::"pay", resource) when { context.args has count };`,
    payment({ ...GOOD, count: null }),
    { decision: "permit" },
  ],
])("%s", async ([, text, request, expected]) => {
  expect((await of(text)).decide(request)).toMatchObject(expected);
});

test("asked again, an action is answered as it would be anew: whatever policies read is part of the question", async () => {
  const policies = await of(
    `permit(principal, action, resource) when { context.now < 1795176060 };
     @ask("group:a") forbid(principal, action == Action::"pay", resource) when { context.args.amount.greaterThan(decimal("100.0")) };`,
  );
  const now = Date.parse("2026-11-20T12:00:00Z");
  for (let again = 0; again < 3; again++) {
    const decided = (amount: string, later = 0): string =>
      policies.decide(payment({ to: "DE1", amount }, { now: now + later })).decision;
    expect([decided("100"), decided("100.01"), decided("100", 60_000), decided("100.01", 60_000)]).toEqual([
      "permit",
      "ask",
      "deny",
      "deny",
    ]);
  }
  // More than are remembered, each its own.
  for (let i = 0; i < 200; i++)
    expect(policies.decide(payment({ to: `DE${i}`, amount: i }, { now })).decision).toBe(
      i > 100 ? "ask" : "permit",
    );
});

test("what was answered cannot be changed for the next who asks", async () => {
  const policies = await of(PERMIT);
  const { rules } = policies.decide(payment(GOOD));
  expect(() => (rules as string[]).push("another")).toThrow(TypeError);
  expect(policies.decide(payment(GOOD)).rules).toEqual(["a.cedar#1"]);
});
