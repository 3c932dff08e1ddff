import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readProfiles } from "@behest/core";
import { loadPolicies, printLimit } from "@behest/core/policy";
import { expect, test } from "vitest";
import { Workplace } from "../../test/workplace.ts";
import { runTable } from "./table.ts";

const guide = readFileSync(join(import.meta.dirname, "../../../../docs/policy.md"), "utf8");
const blocks = [...guide.matchAll(/```(\w*)\n([^]*?)```/g)].map(([, kind, text]) => ({ kind, text: text! }));
const block = (beginning: string): string => blocks.find(({ text }) => text.startsWith(beginning))!.text;

test("the examples of docs/policy.md type-check, and its table of tests is met", async () => {
  const folder = mkdtempSync(join(tmpdir(), "behest-docs-"));
  try {
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies/tools.cedarschema"), block("action payments"));
    writeFileSync(join(folder, "policies/office.cedar"), block("permit("));
    writeFileSync(join(folder, "tests.json"), block("[\n"));
    const { rules } = await loadPolicies(join(folder, "policies"));
    expect(rules.map(({ id }) => id)).toContain("office.cedar#large-payment");
    const [tested, ...more] = await runTable(join(folder, "tests.json"), undefined);
    expect(more).toEqual([]);
    expect(tested).toMatchObject({ ok: true });
    writeFileSync(join(folder, "policies/office.cedar"), block('@id("payments")'));
    const [limited] = (await loadPolicies(join(folder, "policies"))).rules;
    expect(limited!.limits!.map(printLimit)).toEqual(["20 calls, 500 EUR per subtree", "50 EUR per action"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the file of profiles in docs/policy.md is one", () => {
  using place = new Workplace();
  writeFileSync(place.path("profiles.json"), block('{\n  "pay"'));
  expect(Object.keys(readProfiles(place.path("profiles.json")))).toEqual(["pay", "github.get_issue"]);
});

test("the schema that docs/policy.md describes is the shipped one", () => {
  const schema = readFileSync(join(import.meta.dirname, "../../../core/policies/behest.cedarschema"), "utf8");
  const shipped = [...schema.matchAll(/^ {4}(\w+)\??: /gm)].map(([, name]) => name!);
  expect(shipped.length).toBeGreaterThan(10);
  const told = /- \*\*context\*\*: (.*)/.exec(guide)![1]!;
  expect(shipped.filter((name) => !told.includes(`\`${name}\``))).toEqual([]);
});
