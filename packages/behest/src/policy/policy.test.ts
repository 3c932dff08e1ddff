import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workplace } from "../../test/workplace.ts";

let place: Workplace;
beforeAll(() => {
  place = Workplace.used();
  mkdirSync(place.path("policies"));
  mkdirSync(place.path("broken"));
  writeFileSync(
    place.path("policies/pay.cedar"),
    `permit(principal, action, resource);
@id("large") @ask("group:finance", "2") @reason("It is a large sum.")
forbid(principal, action == Action::"pay", resource) when { context.args.amount.greaterThan(decimal("100.0")) };
`,
  );
  writeFileSync(
    place.path("policies/tools.cedarschema"),
    'action "pay" appliesTo { principal: Agent, resource: Resource, context: { args: { amount: decimal } } };\n',
  );
  writeFileSync(
    place.path("broken/a.cedar"),
    'permit;\nforbid(principal, action == Action::"pay", resource);\n',
  );
  writeFileSync(place.path("pay.json"), JSON.stringify({ tool: "pay", args: { amount: 500 } }));
});
afterAll(() => place[Symbol.dispose]());

const table = (...rows: object[]): string => JSON.stringify(rows);
const large = { name: "large", policy: "policies", action: { tool: "pay", args: { amount: 500 } } };

test("a folder of policies is checked, each fault with its place", () => {
  expect(place.must("policy", "check", "policies")).toMatch(
    /pay\.cedar#large +2 +forbid +2 of finance +- +It is/,
  );
  expect(place.json("policy", "check", "default")).toMatchObject({ ok: true, faults: [] });
  const ran = place.behest("policy", "check", "broken");
  expect(place.refusal(ran)).toBe("policy_invalid 1");
  expect(ran.stdout).toMatch(/^a\.cedar:1:7: .*\n$/);
  const told = place.behest("policy", "check", "broken", "--json");
  expect(JSON.parse(told.stdout)).toMatchObject({
    ok: false,
    faults: [{ file: "a.cedar", line: 1, column: 7 }],
  });
  expect(place.refusal(place.behest("policy", "check", "nowhere"))).toBe("policy_missing 1");
});

test("what nobody of this deployment could approve is told", () => {
  const shortages = [{ group: "finance", need: 2, enrolled: 0, rules: ["pay.cedar#large"] }];
  expect(place.json("policy", "check", "policies")).toMatchObject({ ok: true, shortages });
  expect(place.must("policy", "check", "policies")).toMatch(
    /warning +policies ask for 2 of "finance" \(pay\.cedar#large\) and the trust manifest enrols 0/,
  );
  expect(place.json("policy", "check", "default")).toMatchObject({ shortages: [] });
});

test("why an action is permitted, asked for or denied is explained", () => {
  const asked = place.must("policy", "explain", "policies", "--action", "pay.json");
  expect(asked).toMatch(
    /decision +ask\nwhy +It is a large sum\.\nasks +2 of finance\ndecided by +pay\.cedar#large \(pay\.cedar:2\)/,
  );
  const flags = ["--tool", "pay", "--args", '{"amount":1}', "--effect", "read"];
  expect(place.json("policy", "explain", "policies", ...flags)).toMatchObject({
    decision: "permit",
    rules: ["pay.cedar#1"],
  });
  const within = [
    "--tool",
    "read",
    "--effect",
    "read",
    "--boundary",
    "inside",
    "--within",
    "a",
    "--workspace",
    "b",
  ];
  expect(place.json("policy", "explain", "default", ...within)).toMatchObject({
    decision: "deny",
    rules: ["default.cedar#workspace"],
  });
});

test("of an action that does not say what it does, this folder's profiles do", () => {
  using own = Workplace.used();
  const explain = ["policy", "explain", "default", "--tool", "wire"];
  expect(own.json(...explain)).toMatchObject({ decision: "ask", rules: ["default.cedar#undeclared"] });
  writeFileSync(
    own.path(".behest/profiles.json"),
    JSON.stringify({ wire: { effect: "read", boundary: "inside", resource: "iban:{iban}" } }),
  );
  const answered = [...explain, "--args", '{"iban":"DE1"}'];
  expect(own.json(...answered)).toMatchObject({ decision: "permit", effect: "read", boundary: "inside" });
  expect(own.must(...answered)).toMatch(/its profile +read, inside/);
  expect(own.refusal(own.behest(...explain))).toBe("malformed_input 1");
  // What is said counts, and nothing of the profile is mixed in.
  const said = own.json(...answered, "--effect", "irreversible");
  expect(said).toMatchObject({ decision: "ask" });
  expect(said).not.toHaveProperty("effect");
});

test("an address that the delegation holds to an allow-list leads inside, as an agent here would have it", () => {
  using own = Workplace.used();
  const profile = { effect: "read", boundary: "inside", control: ["url"] };
  writeFileSync(own.path(".behest/profiles.json"), JSON.stringify({ fetch: profile }));
  const args = '{"url":"https://wiki.test/a"}';
  const explain = ["policy", "explain", "default", "--tool", "fetch", "--args", args];
  expect(own.json(...explain)).toMatchObject({ boundary: "outside" });
  expect(own.json(...explain, "--allowlisted")).toMatchObject({ boundary: "inside" });
});

test("a table of tests is run; one that is not met is a failure", () => {
  writeFileSync(
    place.path("tests.json"),
    table(
      { ...large, expect: "ask", group: "finance", need: 2, rule: "pay.cedar#large" },
      { ...large, name: "small", action: { tool: "pay", args: { amount: "99.99" } }, expect: "permit" },
      { ...large, name: "default", policy: "default", expect: "ask" },
    ),
  );
  expect(place.must("policy", "test", "tests.json").match(/ok$/gm)).toHaveLength(3);
  const failing = table(
    { ...large, expect: "permit" },
    { ...large, expect: "ask", need: 3 },
    { ...large, expect: "ask" },
  );
  const ran = place.behestWith({ input: failing }, "policy", "test", "-");
  expect(place.refusal(ran)).toBe("policy_test_failed 1");
  expect(ran.stdout.match(/FAIL$/gm)).toHaveLength(2);
});

test("limits of policies are told, tested, and kept as far as one action can break them", () => {
  mkdirSync(place.path("limited"));
  writeFileSync(
    place.path("limited/a.cedar"),
    `@id("all") @limit("20 calls; 50 EUR per action") permit(principal, action, resource);
@id("paying") @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };
`,
  );
  expect(place.must("policy", "check", "limited")).toMatch(
    /a\.cedar#all +1 +permit +- +20 calls per subtree; 50 EUR per action +-/,
  );
  const pay = ["policy", "explain", "limited", "--tool", "pay", "--amount"];
  expect(place.must(...pay, "50 EUR")).toMatch(
    /decision +ask\n[^]*\nlimit +20 calls per subtree \(a\.cedar#all\)\nlimit +50 EUR per action \(a\.cedar#all\)\n/,
  );
  expect(place.must(...pay, "50.01 EUR")).toMatch(/decision +deny\nwhy +it would spend more[^]*a\.cedar#all/);
  expect(place.must(...pay, "1 USD")).toMatch(/decision +deny\n/);
  expect(place.json("policy", "explain", "limited", "--tool", "pay")).toMatchObject({
    decision: "deny",
    beyond: { code: "amount_unknown", path: "policies.a.cedar#all.limits.action.amount" },
  });
  const row = { name: "a", policy: "limited", action: { tool: "read", effect: "read" }, expect: "permit" };
  const met = table(
    { ...row, limit: "20 calls per subtree" },
    { ...row, action: { tool: "pay", amount: { value: 51, currency: "EUR" } }, expect: "deny" },
  );
  expect(place.behestWith({ input: met }, "policy", "test", "-").status).toBe(0);
  const failing = table({ ...row, limit: "21 calls per subtree" });
  const ran = place.behestWith({ input: failing }, "policy", "test", "-");
  expect(place.refusal(ran)).toBe("policy_test_failed 1");
});

test.for([
  ["not JSON", "{"],
  ["no list", "{}"],
  ["an empty list", "[]"],
  ["a test without an action", table({ name: "x", policy: "default", expect: "ask" })],
  ["another member", table({ ...large, expect: "ask", expected: "ask" })],
  ["another expectation", table({ ...large, expect: "maybe" })],
  ["a limit for a denial", table({ ...large, expect: "deny", limit: "1 call per lifetime" })],
  ["a group for a denial", table({ ...large, expect: "deny", group: "finance" })],
  ["an action with another member", table({ ...large, expect: "ask", action: { tool: "pay", arg: {} } })],
  [
    "an action with another effect",
    table({ ...large, expect: "ask", action: { tool: "pay", effect: "harmless" } }),
  ],
  ["an action at no time", table({ ...large, expect: "ask", action: { tool: "pay", at: "noon" } })],
  ["no folder", table({ name: "x", expect: "ask", action: { tool: "pay" } })],
])("a table with %s is refused", ([, input]) => {
  expect(place.refusal(place.behestWith({ input }, "policy", "test", "-"))).toBe("malformed_input 1");
});

test.for([
  [["policy", "explain", "default"], /--action/],
  [["policy", "explain", "default", "--action", "pay.json", "--tool", "x"], /--action/],
  [["policy", "explain", "default", "--tool", "x", "--amount", "12"], /--amount/],
] as const)("%j is a usage error", ([args, message]) => {
  const ran = place.behest(...args);
  expect(place.refusal(ran)).toBe("usage 2");
  expect(ran.stderr).toMatch(message);
});

test("nothing is suggested from arguments that were not kept, and that is said", () => {
  expect(place.must("policy", "suggest")).toMatch(
    /Nothing to suggest from\.\nOf \d+ actions .*content: "keep"/,
  );
  expect(place.json("policy", "suggest")).toMatchObject({
    suggestions: [],
    withoutArguments: expect.any(Number) as number,
  });
});
