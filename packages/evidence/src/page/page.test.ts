import { draftOverride, memoryStore, readStore, signOverride } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { issueDelegation } from "@behest/delegation";
import { generateSigner } from "@behest/jws";
import type { EvidenceBundle } from "@behest/provenance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Office } from "../../test/office.ts";
import { forged, hostileLog } from "../../test/hostile.ts";
import { type EvidenceReport, renderReport, verifyEvidence } from "../index.ts";

let office: Office;
let whole: EvidenceBundle;
let report: EvidenceReport;
let page: string;
beforeAll(async () => {
  office = await Office.open();
  whole = await office.reader.evidence();
  [page, report] = await rendered(whole);
});
afterAll(() => office[Symbol.asyncDispose]());

async function rendered(
  bundle: EvidenceBundle,
  owner: string = office.behest.owner,
): Promise<[page: string, report: EvidenceReport]> {
  const found = await verifyEvidence(bundle, { owner });
  return [renderReport(bundle, found, { owner }), found];
}

/** What a reader sees of a piece of markup, on one line. */
function textOf(markup: string): string {
  const inline = markup
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<\/?(?:a|bdi|code|q|strong|time)\b[^>]*>/g, "");
  const text = inline.replace(/<[^>]*>/g, " ");
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replace(/\s+/g, " ");
}

/** An action's section. */
function section(index: number, of = page): string {
  const found = new RegExp(`<article id="${index}".*?</article>`, "s").exec(of)?.[0];
  return textOf(found ?? "");
}

function recordOf(tool: string, verdict: string): EvidenceReport["records"][number] {
  return report.records.find((one) => one.tool === tool && one.verdict === verdict)!;
}

const QUESTIONS = [
  "What was the intent?",
  "What did the agent decide?",
  "What policy ran?",
  "Who approved?",
  "What call was made, with which credential?",
  "What came back?",
];

test("each action answers the six questions, in a section that its entry's index names", () => {
  for (const { index, tool } of report.records) {
    const text = section(index);
    expect(text).toContain(`#${index} ${tool}`);
    const places = QUESTIONS.map((question) => text.indexOf(question));
    expect(places.every((place, i) => place > (places[i - 1] ?? -1))).toBe(true);
  }
  const paid = section(recordOf("pay", "permit").index);
  for (const said of [
    "alice, asserted by https://issuer.test ✓ proven",
    "to do: test ✓ proven",
    "signed that it wants this very action, tool and arguments ✓ proven",
    "decided by default.cedar#undeclared",
    "forbid(principal, action, resource)",
    "approvers-0, for the group approvers, approved this action",
    "Within what was delegated yes, evaluated again ✓ proven",
    "Revoked before it no ✓ proven",
    '{"to":"bob"}',
    "Attempt 1",
    "done (ok) ✓ proven",
    '"paid"',
  ])
    expect(paid).toContain(said);
  const denied = section(recordOf("drop", "deny").index);
  expect(denied).toContain("denied");
  expect(denied).toContain("tool_not_granted (the tool was not delegated)");
  expect(denied).toContain("Within what was delegated no, evaluated again ✓ proven");
  expect(denied).toContain("nothing was called");
});

test("a turn of a model is told with what it was given, answered and could have done", async () => {
  const { bundle, report: found, owner } = await hostileLog();
  const first = found.records.find(
    ({ interaction, verdict }) => interaction !== undefined && verdict === "permit",
  )!;
  const text = section(first.index, renderReport(bundle, found, { owner }));
  for (const label of [
    "What the model was given ✓ proven",
    "Its standing instructions ✓ proven",
    "What it answered ✓ proven",
    "What it turned down ✓ proven",
    "Its reasoning ✓ proven",
    "(this action)",
    "the one named",
  ])
    expect(text).toContain(label);
});

test("what is altered or absent is not shown, and said to be", async () => {
  const { index } = recordOf("pay", "permit");
  const args = Object.keys(whole.content).filter((name) => whole.content[name]!.text === '{"to":"bob"}');
  const changed = Object.fromEntries(
    Object.entries(whole.content).map(([name, opened]) =>
      args.includes(name) ? [name, { ...opened, text: '{"to":"eve"}' }] : [name, opened],
    ),
  );
  const [altered] = await rendered({ ...whole, content: changed });
  expect(section(index, altered)).toContain("Arguments ✗ altered");
  expect(section(index, altered)).toContain("Something speaks against this record");
  expect(textOf(altered)).not.toContain('"eve"');
  expect(textOf(altered)).toContain("✗ Not verified");
  const [absent] = await rendered({ ...whole, content: {}, documents: {} });
  expect(section(index, absent)).toContain("Arguments ○ not shown");
  expect(section(index, absent)).toContain("Result ○ not shown");
  expect(section(index, absent)).not.toContain("forbid(");
  const [otherRules] = await rendered({
    ...whole,
    documents: Object.fromEntries(
      Object.entries(whole.documents).map(([digest, text]) => [digest, text.replace("forbid", "permit")]),
    ),
  });
  expect(section(index, otherRules)).not.toContain("permit(principal");
});

test("under another owner no name is believed, and what failed comes first", async () => {
  const [other] = await rendered(whole, "A".repeat(43));
  const text = textOf(other);
  expect(text).not.toContain("approvers-0");
  expect(text).not.toContain("alice, asserted by");
  expect(text).toContain("somebody whose name is not proven here");
  const paid = section(recordOf("pay", "permit").index, other);
  for (const label of [
    "Verdict permitted ✗ failed",
    "Arguments ✗ failed",
    "Result ✗ failed",
    "no key that the owner's",
  ])
    expect(paid).toContain(label);
  expect(text.indexOf("What speaks against it")).toBeLessThan(text.indexOf("Graph"));
  const requirements = other.slice(other.indexOf('id="crosswalk"'));
  expect(requirements).not.toContain("<li>");
  expect(requirements).toContain("not covered");
});

test("a part says how much is hidden, and the log's rung and completeness are said", async () => {
  const [part] = await rendered(await office.reader.evidence({ principal: "bob" }));
  expect(textOf(part)).toMatch(/A part: \d+ of the log's \d+ entries are not shown/);
  expect(part).not.toContain("alice");
  expect(textOf(page)).toContain("Rung local: all keys of this log were made on one machine");
  expect(textOf(page)).toContain("consistent, not proven complete");
});

test("who was erased has no name any more, and what went with the erasure says so", async () => {
  await using other = await Office.open();
  await other.behest.erase({ principal: "bob", reason: "asked by letter", despiteRetention: true });
  const [after] = await rendered(await other.reader.evidence(), other.behest.owner);
  expect(after).not.toContain("bob,");
  const text = textOf(after);
  for (const said of [
    "somebody who was erased, pseudonym",
    "Arguments ⊘ erased",
    "alice, asserted by",
    "✓ Verified",
  ])
    expect(text).toContain(said);
});

test("what was only watched, and what went ahead under break-glass, is marked", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store, enforce: "shadow", policy: "default" });
  const session = await behest.as("alice", { pay: {} });
  await session.perform({ tool: "pay", args: {} }, async () => "paid");
  await behest.observe({ principal: "bob" }).perform({ tool: "pay", args: {} }, async () => "paid");
  const bundle = await readStore(store).evidence();
  const [shadow] = await rendered(bundle, behest.owner);
  expect(textOf(shadow)).toContain("SHADOW: 2 of the actions were only watched");
  expect(textOf(shadow)).toContain("OBSERVED: behind 1 of the actions there is no delegation");
  expect(textOf(shadow)).toContain("nobody holds a delegation");
  const [broken] = await overridden();
  expect(textOf(broken)).toContain("BREAK-GLASS: 1 of the actions went ahead");
  expect(textOf(broken)).toContain("break-glass-0, for the group break-glass, approved break-glass");
});

/** One action that a person of the break-glass group has let through. */
async function overridden(): Promise<[page: string, report: EvidenceReport]> {
  const store = memoryStore();
  await using behest = await testBehest({ store, policy: "default", groups: ["break-glass"] });
  const { issuer, holder } = behest;
  const delegation = await issueDelegation(
    {
      issuer: issuer.iss,
      holder: holder.jwk,
      principal: "alice",
      task: "t",
      tools: { pay: {} },
      expiresIn: "1h",
    },
    issuer.signer,
  );
  const session = await behest.open(delegation);
  const override = draftOverride({ delegation, reason: "it is down", expires: Date.now() + 60_000 });
  const signer = behest.approver("break-glass");
  await behest.approvals.submitAhead(await signOverride(override, { decision: "approve" }, signer));
  await session.perform({ tool: "pay", args: {} }, async () => "paid");
  return rendered(await readStore(store).evidence(), behest.owner);
}

test("the requirements list what supports them, and never pass judgement", async () => {
  const rows = page.slice(page.indexOf('id="crosswalk"'));
  for (const of of ["12(1)", "14(5)", "19(1)", "26(2)", "26(6)", "CC6.1", "CC7.2", "CC8.1", "164.312(b)"])
    expect(rows).toContain(`<th scope="row">${of}</th>`);
  expect(rows).toContain("2 December 2027");
  expect(rows).not.toContain("2026-08");
  const row = (of: string): string => textOf(rows.slice(rows.indexOf(`>${of}<`)).split("</tr>")[0]!);
  expect(row("12(1)")).toContain(`${report.records.length} action entries`);
  expect(row("26(2)")).toContain("1 permitted actions that rest on an approval");
  expect(row("14(5)")).toContain("not covered");
  expect(row("164.312(b), of the records themselves")).toContain("not covered");
  expect(row("26(6)")).toContain("1 versions of the trust manifest with a retention of six months or more");
  for (const one of [page, (await rendered(whole, "A".repeat(43)))[0]])
    expect(one).not.toMatch(/compl(?:y|ies|ian)/i);
});

test("manifests that list policies, and need more than their owner, are what changes are told by", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store, policy: "default" });
  const keepers = [{ person: "k", jwk: (await generateSigner()).jwk }];
  await behest.trust(
    await behest.nextTrust({ policies: Object.keys(whole.documents), changes: { need: 1, keepers } }),
  );
  const [changed] = await rendered(await readStore(store).evidence(), behest.owner);
  const row = (of: string): string => textOf(of.slice(of.indexOf(">CC8.1<")).split("</tr>")[0]!);
  expect(row(changed)).toMatch(/1 versions .* that list by digest .* 1 versions .* needs more signatures/);
  expect(row(page)).not.toMatch(/list by digest|more signatures/);
});

test("nothing in it asks for anything, whatever a bundle says", async () => {
  const hostile = await hostileLog();
  const { bundle, claimed } = await forged(hostile, [`"><script src=//x></script><a href='javascript:x'>`]);
  for (const one of [page, renderReport(bundle, claimed, hostile)]) {
    expect(one).not.toMatch(/<(?:script|link|img|iframe|object|base|form)/);
    expect(one.match(/<[^>]* href="[^"]*"/g)!.every((link) => link.includes('href="#'))).toBe(true);
    expect(one).toContain(`content="default-src &#39;none&#39;; style-src &#39;sha256-`);
  }
});

test("of what somebody has made up nothing is proven, not even that it fits what else was made up", async () => {
  const { bundle, report } = await forged(await hostileLog(), ["x"]);
  const made = renderReport(bundle, report, { owner: office.behest.owner });
  expect(report.records.length).toBeGreaterThan(0);
  expect(made).not.toContain("✓");
  expect(page).toContain("✓ proven");
});

test("of a log of another owner it says first that it is", async () => {
  const [stranger] = await rendered(whole, "A".repeat(43));
  expect(textOf(stranger)).toMatch(
    /✗ Not verified: \d+ findings speak against it\. Another owner has signed it/,
  );
});
