import { readStore } from "@behest/core";
import { canonicalPresent } from "@behest/jws";
import { type ActionEntry, commit } from "@behest/provenance";
import { expect, test } from "vitest";
import { liveOf } from "../../core/src/session/session.ts";
import { PolicyFolder } from "../../core/test/policy/folder.ts";
import { type RestrictedBehest, restrictedBehest } from "../../core/test/restricted.ts";
import { codes, lied, lying } from "../test/lying.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";

const started = { verdict: "permit", attempt: 1 } as const;
const without =
  (check: string) =>
  ({ findings }: ActionEntry): ActionEntry["findings"] =>
    findings.filter((finding) => finding.check !== check);
const fine = (findings: ActionEntry["findings"]): ActionEntry["findings"] =>
  findings.map((finding) => ({ ...finding, code: "ok" }));

test("nothing starts against what its own findings say", async () => {
  const report = await lied(() => started);
  expect(codes(report)).toContain("verdict_contradicted");
  expect(report.records.map(({ states }) => states.entry)).toEqual(["failed", "failed"]);
});

test.for([
  ["grant", "grant_differs"],
  ["policy", "policy_missing"],
] as const)("a check that says nothing of what starts is judged all the same: %s", async ([check, code]) => {
  const report = await lied((entry) => ({ ...started, findings: fine(without(check)(entry)) }));
  expect(codes(report)).toContain(code);
  expect(report.ok).toBe(false);
});

test("what starts without any finding is judged by its chain and its policies", async () => {
  const found = codes(await lied(() => ({ ...started, findings: [] })));
  expect(found).toEqual(expect.arrayContaining(["grant_differs", "policy_missing"]));
});

test("what policies were decided on is committed to, or they cannot have decided", async () => {
  const report = await lied(({ content: { args }, ...entry }) => ({
    ...started,
    findings: fine(entry.findings),
    content: { args },
  }));
  expect(codes(report)).toContain("facts_missing");
});

const SALT = "A".repeat(43);

/** What is said of one permitted call, whose process claims that its policies were decided on these facts. */
async function claimed(
  facts: (honest: { agent: object; person: object; now: number }) => unknown,
  policies: string,
  restricted: Parameters<RestrictedBehest["opened"]>[0] = {},
): Promise<EvidenceReport> {
  using folder = new PolicyFolder({ "a.cedar": policies });
  let said = "";
  let leaf: { jti: string; task?: string } = { jti: "" };
  const store = lying((entry) => {
    const agent = { id: leaf.jti, ancestors: [], name: "agent", consent: "local", mismatch: false };
    const person = { issuer: "https://issuer.test", subject: "alice" };
    const honest = {
      agent,
      person,
      declared: true,
      allowlisted: true,
      task: leaf.task,
      now: Date.parse(entry.at),
    };
    said = canonicalPresent(facts(honest));
    const policy = { check: "policy", code: "ok", rule: "a.cedar#1" };
    return {
      ...started,
      findings: [...fine(without("policy")(entry)), policy],
      content: { args: entry.content.args, facts: commit(SALT, said) },
    };
  });
  await using behest = await restrictedBehest({ look: {} }, { store, content: "keep", policy: folder.path });
  const session = await behest.opened(restricted);
  ({ leaf } = liveOf(session)!);
  await session.perform({ tool: "look", args: {} }, async () => 1).catch(() => {});
  const bundle = await readStore(store).evidence();
  const content = { ...bundle.content, [commit(SALT, said)]: { salt: SALT, text: said } };
  return verifyEvidence({ ...bundle, content }, { owner: behest.owner });
}

const ALL = "permit(principal, action, resource);";

test.for([
  [
    "a consent that its root does not state",
    `permit(principal, action, resource) when { principal.consent == "passkey" };`,
    { agent: { consent: "passkey" } },
  ],
  [
    "groups that have not approved it",
    `permit(principal, action, resource) when { context.approvals.contains("finance") };`,
    { approvals: ["finance"] },
  ],
  [
    "ancestors that it has not",
    `permit(principal, action, resource) when { context.depth == 1 };`,
    { agent: { ancestors: [[]] } },
  ],
  ["an identity that nobody has found astray", ALL, { agent: { mismatch: true } }],
  ["another agent", ALL, { agent: { id: "other" } }],
  ["another person", ALL, { person: { subject: "bob" } }],
  ["another time", ALL, { now: 5 }],
  ["another task", ALL, { task: "other" }],
  ["another workspace", ALL, { within: "acme" }],
] as const)("policies that were decided on %s", async ([, policies, change]) => {
  const { agent = {}, person = {}, ...rest } = change as { agent?: object; person?: object };
  const report = await claimed(
    (honest) => ({
      ...honest,
      ...rest,
      agent: { ...honest.agent, ...agent },
      person: { ...honest.person, ...person },
    }),
    policies,
  );
  expect(codes(report)).toContain("facts_mismatch");
});

test("what no facts are is no reason to stop verifying", async () => {
  expect(codes(await claimed((honest) => honest, ALL))).toEqual([]);
  for (const facts of [null, 1, "x", [], {}, { agent: null, person: null }, { agent: {}, person: 1 }])
    expect(codes(await claimed(() => facts, ALL))).toContain("facts_mismatch");
});

test("a place outside of what was delegated, where its entry says that it lies within", async () => {
  const at = (workspace?: string) =>
    claimed((honest) => ({ ...honest, within: "acme/finance", workspace }), ALL, {
      workspace: "acme/finance",
    });
  expect(codes(await at("acme/finance/x"))).toEqual([]);
  for (const workspace of ["acme/legal", "acme/finance/../legal", "acme", undefined])
    expect(codes(await at(workspace))).toContain("facts_mismatch");
});

test("an effect that its delegation does not allow, where its entry says that it does", async () => {
  const store = lying(({ findings }) => ({ ...started, findings: fine(findings) }));
  const profiles = { look: { effect: "reversible", boundary: "inside" } } as const;
  await using behest = await restrictedBehest({ look: {} }, { store, content: "keep", profiles });
  const session = await behest.opened({ effects: ["read"] });
  await session.perform({ tool: "look", args: {} }, async () => 1).catch(() => {});
  const report = await verifyEvidence(await readStore(store).evidence(), { owner: behest.owner });
  expect(codes(report)).toContain("grant_differs");
});

test("what is found of an action alone is shown where it belongs, and nothing unlooked at is proven", async () => {
  const at = (by: number) => (entry: ActionEntry) => ({
    ...started,
    findings: fine(entry.findings),
    at: new Date(Date.parse(entry.at) + by).toISOString(),
  });
  // Later than its delegation's end, and than its key's certificate.
  const expired = await lied(at(3_700_000));
  expect(codes(expired)).toContain("delegation_expired");
  expect(expired.records[0]?.states).toMatchObject({ entry: "proven", authority: "failed" });
  const uncertified = await lied(at(400 * 86_400_000));
  expect(codes(uncertified)).toContain("certificate_not_in_force");
  expect(uncertified.records[0]?.states).toMatchObject({ entry: "failed", decision: "not_shown" });
});
