import { expect, test } from "vitest";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { cedar } from "./cedar.ts";
import { loadPolicies } from "./policies.ts";
import { policiesIn } from "./replay.ts";
import type { PolicyRequest } from "./request.ts";

const REQUEST: PolicyRequest = {
  tool: "pay",
  args: { to: "bob", amount: 5 },
  effect: "irreversible",
  boundary: "outside",
  declared: true,
  allowlisted: false,
  agent: { id: "leaf", ancestors: [], name: "a", consent: "local", mismatch: false },
  person: { issuer: "urn:i", subject: "alice" },
  now: 1_700_000_000_000,
};

const OWN = {
  "a.cedar": `permit(principal, action, resource);
@id("much") @ask("group:finance", "2") @reason("much money") forbid(principal, action == Action::"pay", resource) when { context.args.amount > 3 };`,
  "b.cedar": 'forbid(principal, action, resource) when { context.tool == "x" };',
  "own.cedarschema":
    "action pay appliesTo { principal: Agent, resource: Resource, context: { args: { to: String, amount: Long } } };",
};

test("what a document says decides as the policies did that it is of", async () => {
  using folder = new PolicyFolder(OWN);
  for (const policy of ["default", folder.path]) {
    const loaded = await loadPolicies(policy);
    const replayed = policiesIn(loaded.document, await cedar());
    expect(replayed?.digest).toBe(loaded.digest);
    for (const amount of [1, 5])
      for (const lifted of [false, true]) {
        const request = { ...REQUEST, args: { to: "bob", amount } };
        expect(replayed!.decide(request, lifted)).toEqual(loaded.decide(request, lifted));
      }
  }
});

test("a document that was changed, or is none, decides nothing", async () => {
  using folder = new PolicyFolder(OWN);
  const { document } = await loadPolicies(folder.path);
  const loaded = await cedar();
  for (const other of [
    "",
    "{}",
    "null",
    document.replace("> 3", "> x"),
    document.replace("a.cedar#much", "a.cedar#other"),
    document.replace('"v":1', '"v":2'),
    ` ${document}`,
  ])
    expect(policiesIn(other, loaded)).toBeUndefined();
  // Another set is a set, but not of this digest.
  expect(policiesIn(document.replace("> 3", "> 9"), loaded)?.digest).not.toBe(
    (await loadPolicies(folder.path)).digest,
  );
});
