import { expect, test } from "vitest";
import { PAY_SCHEMA, PolicyFolder, payment } from "../../test/policy/folder.ts";
import { checkPolicies, loadPolicies } from "./policies.ts";
import type { Policies } from "./prepare.ts";

const LEGAL = 'Workspace::"acme/legal"';

async function forbidding(asked: string): Promise<Policies> {
  const told = ["resource", "context"].filter((side) => asked.includes(`${side}.workspace`));
  const when = [...told.map((side) => `${side} has workspace`), `(${asked})`].join(" && ");
  using folder = new PolicyFolder({
    "a.cedar": `permit(principal, action, resource); forbid(principal, action, resource) when { ${when} };`,
    "tools.cedarschema": PAY_SCHEMA,
  });
  return loadPolicies(folder.path);
}

const touched = (workspace: string, within?: string): object => ({ workspace, within });

test.for<[asked: string, forbidden: readonly object[], others: readonly object[]]>([
  [
    `resource.workspace in ${LEGAL}`,
    [touched("acme/legal"), touched("acme/legal/case-1/a")],
    [touched("acme/legality"), touched("acme"), {}, touched("x", "acme/legal")],
  ],
  [`context.workspace in ${LEGAL}`, [touched("x", "acme/legal/a")], [touched("acme/legal/a", "acme")]],
  [
    "resource.workspace in context.workspace",
    [touched("a/b/c", "a"), touched("a", "a")],
    [touched("a", "a/b"), touched("ab", "a")],
  ],
  [
    `resource.workspace in [Workspace::"x", ${LEGAL}]`,
    [touched("acme/legal/a"), touched("x/y")],
    [touched("acme/x")],
  ],
  [
    `resource.workspace is Workspace in ${LEGAL}`,
    [touched("acme/legal"), touched("acme/legal/a")],
    [touched("a")],
  ],
  [`resource is Resource in ${LEGAL}`, [touched("acme/legal"), touched("acme/legal/a")], [touched("acme")]],
  [
    'Workspace::"a/b/c" in resource.workspace',
    [touched("a"), touched("a/b/c")],
    [touched("a/b/c/d"), touched("b")],
  ],
  [
    `(if context.depth == 1 then resource.workspace else Workspace::"x/y") in ${LEGAL}`,
    [touched("acme/legal/a")],
    [touched("x/y")],
  ],
  [
    `{ it: resource.workspace }.it in ${LEGAL} && resource in Workspace::"acme"`,
    [touched("acme/legal/a")],
    [touched("acme")],
  ],
  // What is the same place is not what lies in it, also where the one policy asks both.
  [`resource.workspace == ${LEGAL}`, [touched("acme/legal")], [touched("acme/legal/a")]],
  [
    `resource.workspace == ${LEGAL} && resource.workspace in Workspace::"acme"`,
    [touched("acme/legal")],
    [touched("acme/legal/a"), touched("acme")],
  ],
  [
    `[resource.workspace].containsAny([${LEGAL}]) || resource.workspace in Workspace::"x"`,
    [touched("acme/legal"), touched("x/y")],
    [touched("acme/legal/a")],
  ],
])("what lies in a workspace: %s", async ([asked, forbidden, others]) => {
  const policies = await forbidding(asked);
  const decided = (change: object): string =>
    policies.decide(payment({ to: "x", amount: 1 }, change)).decision;
  expect(forbidden.map(decided)).toEqual(forbidden.map(() => "deny"));
  expect(others.map(decided)).toEqual(others.map(() => "permit"));
});

test("one that leads out of itself is none", async () => {
  const policies = await forbidding(`resource.workspace in ${LEGAL}`);
  for (const workspace of ["acme/x/../legal", "acme//legal", "acme/legal/", ""])
    expect(policies.decide(payment({ to: "x", amount: 1 }, { workspace }))).toMatchObject({
      decision: "deny",
      failed: true,
    });
});

test.for([
  ['Agent::"root" in principal', 'Agent::"root"'],
  ['principal in Agent::"a" && Agent::"b" in Agent::"c"', 'Agent::"b"'],
  [`Workspace::"acme/../x" in ${LEGAL}`, 'Workspace::"acme/../x"'],
])("what cannot be told is refused at start: %s", async ([asked, named]) => {
  using folder = new PolicyFolder({
    "a.cedar": `permit(principal, action, resource)\nwhen { ${asked} };`,
  });
  const { faults } = await checkPolicies(folder.path);
  expect(faults).toEqual([
    {
      file: "a.cedar",
      line: 2,
      column: 8 + asked!.indexOf(named!),
      reason: `what ${named} is in cannot be told: it is no workspace`,
    },
  ]);
});
