import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { BehestError } from "../error.ts";
import { testBehest } from "../testing.ts";
import { checkPolicies, loadPolicies } from "./policies.ts";

const PERMIT = "permit(principal, action, resource);\n";

async function refusal(policy: string): Promise<string> {
  const error = await loadPolicies(policy).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(BehestError);
  return (error as BehestError).message;
}

test.for<[name: string, text: string, place: string, reason: RegExp]>([
  ["no Cedar", "permit everything;", "1:8", /unexpected token `everything`/],
  ["a missing semicolon", "permit(principal, action, resource)", "1:36", /unexpected end of input/],
  ["text after the last policy", `${PERMIT}\n x`, "3:3", /unexpected/],
  [
    "a string that does not end",
    `${PERMIT}permit(principal, action, resource) when { context.tool == "x };`,
    "2:60",
    /./,
  ],
  [
    "a name that the schema does not know",
    `${PERMIT}// é\npermit(principal, action, resource)\n  when { context.tol == "x" };`,
    "4:10",
    /`tol`.*not found; did you mean `tool`/,
  ],
  [
    "a tool that is not declared",
    'forbid(principal, action == Action::"pay", resource);',
    "1:29",
    /unrecognized action/,
  ],
  [
    "types that do not fit",
    'permit(principal, action, resource) when { context.now == "x" };',
    "1:44",
    /not compatible/,
  ],
  [
    "an attribute that may be missing",
    'permit(principal, action, resource) when { context.amount.value == decimal("1.0") };',
    "1:44",
    /amount.*has/,
  ],
  [
    "what can never apply",
    `${PERMIT}forbid(principal, action, resource) when { false };`,
    "2:1",
    /impossible/,
  ],
  ["a template", "permit(principal == ?principal, action, resource);", "1:21", /template/],
  ["two with one id", `@id("a") ${PERMIT}\n@id("a") ${PERMIT}`, "3:1", /"a.cedar#a" is there twice/],
  ["an id that is the place of another", `@id("2") ${PERMIT}${PERMIT}`, "2:1", /"a.cedar#2" is there twice/],
  ["an id that is none", `@id("a b") ${PERMIT}`, "1:1", /@id/],
  ["an ask of nobody", `${PERMIT}@reason("x")\n@ask forbid(principal, action, resource);`, "3:1", /@ask/],
  ["an ask of a person", `${PERMIT}@ask("alice") forbid(principal, action, resource);`, "2:1", /@ask/],
  [
    "an ask of no person",
    `${PERMIT}@ask("group:a", "0") forbid(principal, action, resource);`,
    "2:1",
    /@ask/,
  ],
  [
    "an ask of three strings",
    `${PERMIT}@ask("group:a", "1", "2") forbid(principal, action, resource);`,
    "2:15",
    /unexpected/,
  ],
  ["an ask on a permit", '@ask("group:a") permit(principal, action, resource);', "1:1", /forbid/],
  [
    "a reason of several lines",
    `${PERMIT}@reason("a\nb") forbid(principal, action, resource);`,
    "2:1",
    /@reason/,
  ],
  [
    "a reason that hides something",
    `${PERMIT}@reason("a\u202Eb") forbid(principal, action, resource);`,
    "2:1",
    /@reason/,
  ],
  [
    "a reason that is too long",
    `${PERMIT}@reason("${"x".repeat(301)}") forbid(principal, action, resource);`,
    "2:1",
    /@reason/,
  ],
  [
    "an annotation that there is not",
    `${PERMIT}\n@id("a")\n@limits("1 call") permit(principal, action, resource);`,
    "4:1",
    /no annotation @limits; there are .*@limit/,
  ],
  [
    "a limit on a forbid",
    `${PERMIT}@id("a") @limit("1 call") forbid(principal, action, resource);`,
    "2:10",
    /permit/,
  ],
  ["a limit without an id", `@limit("1 call") ${PERMIT}`, "1:1", /@id/],
  ["a limit of nothing", `@id("a") @limit ${PERMIT}`, "1:10", /"" is neither/],
  [
    "a limit of what is neither",
    `@id("a")\n@limit("20 call, 5 EUR") ${PERMIT}`,
    "2:1",
    /"20 call" is neither calls/,
  ],
  ["a limit in two strings", `@id("a") @limit("20 calls", "5 EUR") ${PERMIT}`, "1:27", /unexpected/],
  ["two limits", `@id("a") @limit("20 calls") @limit("5 EUR") ${PERMIT}`, "1:29", /duplicate/],
  ["more policies than an entry can name", PERMIT.repeat(1001), "1001:1", /more than 1000/],
  ["comments alone", "// permit(principal, action, resource);\n", "1:1", /no policy/],
])("a policy file with %s is refused, with its place", async ([, text, place, reason]) => {
  using folder = new PolicyFolder({ "a.cedar": text });
  const message = await refusal(folder.path);
  expect(message).toMatch(/^policy_invalid: a\.cedar:/);
  expect(message).toContain(`policy_invalid: a.cedar:${place}: `);
  expect(message).toMatch(reason);
});

test.for<[name: string, text: string, place: string, reason: RegExp]>([
  ["no schema", "entity {", "1:8", /unexpected/],
  ["a type that there is not", "\nentity X = { a: Strin };", "2:17", /`Strin`/],
  ["what is shipped", 'action "other" appliesTo { principal: Agent, resource: Resource };', "1:8", /twice/],
  [
    "a tool in a namespace",
    'namespace A { action "pay" appliesTo { principal: Agent, resource: Resource }; }',
    "1:23",
    /namespace/,
  ],
  [
    "a tool of other entities",
    'entity X; action "pay" appliesTo { principal: X, resource: Resource };',
    "1:19",
    /Agent/,
  ],
  [
    "a context of its own",
    'action "pay" appliesTo { principal: Agent, resource: Resource, context: { effect: String } };',
    "1:9",
    /args/,
  ],
  [
    "args that are no record",
    'action "pay" appliesTo { principal: Agent, resource: Resource, context: { args: String } };',
    "1:9",
    /no record/,
  ],
  [
    "an entity as an argument",
    'action "pay" appliesTo { principal: Agent, resource: Resource, context: { args: { a: Set<Workspace> } } };',
    "1:9",
    /args\.a/,
  ],
  [
    "an argument that would be an entity",
    'action "pay" appliesTo { principal: Agent, resource: Resource, context: { args: { __entity: String } } };',
    "1:9",
    /__entity/,
  ],
])("a schema with %s is refused, with its place", async ([, text, place, reason]) => {
  using folder = new PolicyFolder({ "a.cedar": PERMIT, "tools.cedarschema": text });
  const message = await refusal(folder.path);
  expect(message).toMatch(/^policy_invalid: tools\.cedarschema:/);
  expect(message).toContain(`policy_invalid: tools.cedarschema:${place}: `);
  expect(message).toMatch(reason);
});

test("everything that is wrong is found, in the order of the files", async () => {
  using folder = new PolicyFolder({
    "b.cedar": "permit(",
    "a.cedar": `permit;\n${PERMIT}@id("") ${PERMIT}`,
  });
  const { faults, policies } = await checkPolicies(folder.path);
  expect(policies).toBeUndefined();
  expect(faults.map(({ file, line }) => `${file}:${line}`)).toEqual(["a.cedar:1", "a.cedar:3", "b.cedar:1"]);
  expect(await refusal(folder.path)).toMatch(/\(and 2 more\)$/);
});

test("a folder that is missing, empty or unreadable, and files that are none, are refused", async () => {
  using folder = new PolicyFolder();
  expect(await refusal(join(folder.path, "nowhere"))).toMatch(/^policy_missing/);
  expect(await refusal(folder.path)).toMatch(/^policy_missing.*no \.cedar file/);
  mkdirSync(join(folder.path, "a.cedar"));
  expect(await refusal(folder.path)).toMatch(/^policy_missing.*a\.cedar is no file/);
  using dangling = new PolicyFolder({ "a.cedar": PERMIT });
  symlinkSync(join(dangling.path, "nowhere"), join(dangling.path, "b.cedar"));
  expect(await refusal(dangling.path)).toMatch(/^policy_missing.*b\.cedar/);
  using endless = new PolicyFolder();
  symlinkSync("/dev/zero", join(endless.path, "a.cedar"));
  expect(await refusal(endless.path)).toMatch(/^policy_missing.*a\.cedar is no file/);
});

test("files that are too large, too many, not UTF-8 or strangely named are refused", async () => {
  using large = new PolicyFolder({ "a.cedar": `//${"x".repeat(300_000)}` });
  expect(await refusal(large.path)).toMatch(/^policy_invalid.*larger/);
  using many = new PolicyFolder(
    Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`a${i}.cedar`, PERMIT])),
  );
  expect(await refusal(many.path)).toMatch(/^policy_invalid.*more than 200/);
  using binary = new PolicyFolder({ "a.cedar": new Uint8Array([0xff, 0xfe]) });
  expect(await refusal(binary.path)).toMatch(/^policy_invalid: a\.cedar:1:1: .*UTF-8/);
  using strange = new PolicyFolder({ "a\nb.cedar": PERMIT });
  expect(await refusal(strange.path)).toMatch(/^policy_invalid.*name/);
  using two = new PolicyFolder({ "a.cedar": PERMIT, "a.cedarschema": "", "b.cedarschema": "" });
  expect(await refusal(two.path)).toMatch(/^policy_invalid.*one \.cedarschema/);
});

test("a file may be linked, as deployments mount them", async () => {
  using target = new PolicyFolder({ "a.cedar": PERMIT });
  using folder = new PolicyFolder();
  symlinkSync(join(target.path, "a.cedar"), join(folder.path, "a.cedar"));
  await expect(loadPolicies(folder.path)).resolves.toMatchObject({ rules: [{ id: "a.cedar#1" }] });
});

test("a process does not start with policies that do not hold", async () => {
  using folder = new PolicyFolder({ "a.cedar": "permit;" });
  await expect(testBehest({ policy: folder.path })).rejects.toMatchObject({ code: "policy_invalid" });
  await expect(testBehest({ policy: `${folder.path}/none` })).rejects.toMatchObject({
    code: "policy_missing",
  });
});
