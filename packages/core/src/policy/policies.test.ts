import { expect, test } from "vitest";
import { PAY_SCHEMA, PolicyFolder, payment } from "../../test/policy/folder.ts";
import { checkPolicies, loadPolicies } from "./policies.ts";
import type { Policies } from "./prepare.ts";

async function of(text: string, schema: string = PAY_SCHEMA): Promise<Policies> {
  using folder = new PolicyFolder({ "a.cedar": text, "tools.cedarschema": schema });
  return loadPolicies(folder.path);
}

const PERMIT = "permit(principal, action, resource);\n";
const GOOD = { to: "DE1", amount: "10.50" };

test.for([
  [{ to: 5, amount: 1 }, "args.to"],
  [{ to: "x" }, "args.amount"],
  [{ to: "x", amount: null }, "args.amount"],
  [{ to: "x", amount: "1.00001" }, "args.amount"],
  [{ to: "x", amount: 1e21 }, "args.amount"],
  [{ to: "x", amount: 922_337_203_685_478 }, "args.amount"],
  [{ to: "x", amount: { __extn: { fn: "decimal", arg: "1.0" } } }, "args.amount"],
  [{ to: { __entity: { type: "Agent", id: "root" } }, amount: 1 }, "args.to"],
  [{ to: "x", amount: 1, count: 1.5 }, "args.count"],
  [{ to: "x", amount: 1, count: 2 ** 53 }, "args.count"],
  [{ to: "x", amount: 1, notes: "x" }, "args.notes"],
  [{ to: "x", amount: 1, notes: [{ text: "a" }, {}] }, "args.notes.text"],
  ["pay him", "args.amount"],
] as const)(
  "arguments other than the schema's are a denial that names the argument: %j",
  async ([args, path]) => {
    const decided = (await of(PERMIT)).decide(payment(args as object));
    expect(decided).toMatchObject({ decision: "deny", failed: true });
    expect(decided.reasons[0]).toMatch(new RegExp(`^${path.replaceAll(".", "\\.")} is `));
  },
);

test("names are values: a tool, a resource or a person that looks like Cedar names nothing else", async () => {
  const policies = await of(
    `permit(principal, action, resource) when { context.tool == "read" };
     permit(principal, action == Action::"pay", resource);
     permit(principal, action, resource == Resource::"ours");
     permit(principal in Principal::"a|b", action, resource);`,
  );
  const names = [
    'x" };permit(principal, action, resource);//',
    'pay"',
    'Action::"pay"',
    "other",
    "tool",
    "payments",
    "pay\u0000",
    "раy",
    "__proto__",
    "constructor",
    "",
  ];
  for (const name of names) {
    const request = payment(GOOD, { tool: name, resource: `${name}"ours`, workspace: name });
    expect({ name, ...policies.decide(request) }).toMatchObject({ name, decision: "deny", rules: [] });
    const whose = { ...request, person: { issuer: name, subject: 'b" }' } };
    expect({ name, ...policies.decide(whose) }).toMatchObject({ name, decision: "deny", rules: [] });
  }
});

test("a tool may be declared by any name", async () => {
  const name = '\\"é ü \\\\ };';
  const policies = await of(
    `permit(principal, action == Action::"${name}", resource);`,
    `action "${name}" appliesTo { principal: Agent, resource: Resource };`,
  );
  expect(policies.tools).toEqual(['"é ü \\ };']);
  expect(policies.decide(payment({}, { tool: '"é ü \\ };' })).decision).toBe("permit");
  expect(policies.decide(payment({}, { tool: '"é ü \\ }' })).decision).toBe("deny");
});

test("arguments that contain Cedar are text", async () => {
  const policies = await of(
    'permit(principal, action == Action::"pay", resource) when { context.args.to like "DE*" };',
  );
  const hostile = [
    '" || true || "',
    'x"); permit(principal, action, resource); ("',
    "\u0000DE",
    "\\u{44}E",
    '{"__entity":{"type":"Agent","id":"root"}}',
    "*",
  ];
  for (const to of hostile) expect(policies.decide(payment({ to, amount: 1 })).decision).toBe("deny");
  for (const to of hostile)
    expect(policies.decide(payment({ to: `DE${to}`, amount: 1 })).decision).toBe("permit");
});

test("an object of arguments may be huge", async () => {
  const policies = await of(PERMIT);
  const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`a${i}`, "x".repeat(100)]));
  expect(policies.decide(payment({ ...GOOD, ...many })).decision).toBe("permit");
  const notes = Array.from({ length: 20_000 }, (_, i) => ({ text: `n${i}` }));
  expect(policies.decide(payment({ ...GOOD, notes, to: "x".repeat(2_000_000) })).decision).toBe("permit");
});

test("sets of one process do not mix", async () => {
  const sets = await Promise.all([
    of(PERMIT),
    of('@ask("group:a") forbid(principal, action, resource); permit(principal, action, resource);'),
    of('permit(principal, action == Action::"pay", resource) when { context.args.to == "DE1" };'),
    of(PERMIT, PAY_SCHEMA.replaceAll("decimal", "Long")),
    loadPolicies("default"),
  ]);
  expect(new Set(sets.map(({ digest }) => digest)).size).toBe(sets.length);
  for (let round = 0; round < 3; round++)
    expect(sets.map((set) => set.decide(payment(GOOD)).decision)).toEqual([
      "permit",
      "ask",
      "permit",
      "deny",
      "ask",
    ]);
});

test("the digest is of the policies, their ids and the schema, and of nothing else", async () => {
  const digest = async (files: { [name: string]: string }): Promise<string> => {
    using folder = new PolicyFolder(files);
    return (await loadPolicies(folder.path)).digest;
  };
  const one = await digest({ "a.cedar": PERMIT });
  expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(await digest({ "a.cedar": `\n// why\n${PERMIT}\n`, "README.md": "x" })).toBe(one);
  expect(await digest({ "b.cedar": PERMIT })).not.toBe(one);
  expect(await digest({ "a.cedar": `@id("x") ${PERMIT}` })).not.toBe(one);
  expect(await digest({ "a.cedar": PERMIT, "s.cedarschema": "entity X;" })).not.toBe(one);
});

test("what policies do not read is not given to Cedar, and changes nothing", async () => {
  const narrow = await of(`${PERMIT}forbid(principal, action, resource) when { context.depth > 3 };`);
  // The context as a value: everything is given.
  const whole = await of(
    `${PERMIT}forbid(principal, action, resource) when { context.depth > 3 && context == context };`,
  );
  for (const ancestors of [[], ["a", "b", "c", "d"]])
    for (const tool of ["pay", "read"]) {
      const agent = {
        id: "leaf",
        ancestors,
        name: "x",
        tenant: "t",
        consent: "oauth",
        mismatch: true,
      } as const;
      const extra = {
        resource: "r",
        workspace: "a/b",
        within: "a",
        task: "t",
        amount: { value: 1, currency: "EUR" },
      };
      const request = payment(GOOD, { tool, agent, ...extra });
      expect(narrow.decide(request)).toEqual(whole.decide(request));
    }
});

test("what checks well says what it holds", async () => {
  using folder = new PolicyFolder({
    "a.cedar": `${PERMIT}\n@id("two")\n@ask("group:a") forbid(principal, action, resource);`,
  });
  const { policies, faults } = await checkPolicies(folder.path);
  expect(faults).toEqual([]);
  expect(policies!.rules).toEqual([
    { id: "a.cedar#1", file: "a.cedar", line: 1, effect: "permit" },
    { id: "a.cedar#two", file: "a.cedar", line: 3, effect: "forbid", ask: { group: "a", need: 1 } },
  ]);
});
