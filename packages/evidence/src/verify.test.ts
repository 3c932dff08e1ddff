import { type EvidenceFilter, memoryStore, readStore, signDecision } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { type EvidenceBundle, headOf, parseCheckpoint, parseHead, readBundle } from "@behest/provenance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Office } from "../test/office.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";

let office: Office;
let whole: EvidenceBundle;
beforeAll(async () => {
  office = await Office.open();
  whole = await office.reader.evidence();
});
afterAll(() => office[Symbol.asyncDispose]());

function judged(bundle: EvidenceBundle, owner: string = office.behest.owner): Promise<EvidenceReport> {
  return verifyEvidence(readBundle(JSON.stringify(bundle)), { owner });
}

function said({ findings }: EvidenceReport): string[] {
  return findings.map(({ index, check, state, code }) => `#${index} ${check} ${state} ${code}`);
}

/** What can be read of everything in it that is encoded. */
function tokensIn(bundle: EvidenceBundle): string[] {
  const found = JSON.stringify(bundle).match(/[A-Za-z0-9_-]{20,}/g) ?? [];
  return found.map((text) => Buffer.from(text, "base64url").toString());
}

async function part(filter: EvidenceFilter): Promise<EvidenceReport> {
  return judged(await office.reader.evidence(filter));
}

test("a bundle of everything proves everything, from the owner's thumbprint alone", async () => {
  const report = await judged(whole);
  expect(said(report)).toEqual([]);
  expect(report.ok).toBe(true);
  const states = report.records.map((record) => Object.values(record.states));
  expect(new Set(states.flat())).toEqual(new Set(["proven"]));
  const approved = report.records.filter(({ approvals }) => approvals.length > 0);
  expect(approved).toMatchObject([{ states: { policy: "proven", approval: "proven", outcome: "proven" } }]);
  expect(report.log.completeness).toBe("consistent, not proven complete");
});

test("it tells who acted on whose behalf, at whose approval, and what came of it", async () => {
  const { records, delegations, approvals } = await judged(whole);
  const told = records.map(({ principal, agent, tool, verdict, result }) =>
    [principal?.subject, agent, tool, verdict, result].join(" "),
  );
  expect(told).toContain("alice clerk pay permit done");
  // A denial for want of a grant does not say it by itself.
  expect(told).toContain("alice clerk drop deny ");
  expect(told).toContain("alice helper look permit done");
  expect(told).toContain("bob agent look permit failed");
  const hops = delegations.map(
    ({ token, parent }) => `${token?.principal.subject} ${token?.agent} ${parent}`,
  );
  expect(hops).toContain(`alice helper ${delegations[0]!.index}`);
  expect(approvals).toMatchObject([
    { kind: "decision", state: "proven", signed: { decision: "approve", group: "approvers" } },
  ]);
});

test("under another owner nothing is proven", async () => {
  const report = await judged(whole, "A".repeat(43));
  expect(report.ok).toBe(false);
  expect(report.records.every(({ states }) => states.entry === "failed")).toBe(true);
  const { records, delegations, approvals } = report;
  expect(records.some(({ principal, agent }) => principal ?? agent)).toBe(false);
  expect(delegations.some(({ token }) => token)).toBe(false);
  expect(approvals).toMatchObject([{ state: "failed" }]);
  expect(approvals[0]?.signed).toBeUndefined();
});

test("a part shows what was asked for with all that it rests on, and says what it cannot show", async () => {
  const records = await office.reader.records();
  const paid = records.find(({ tool, verdict }) => tool === "pay" && verdict === "permit")!;
  const report = await part({ action: paid.action });
  expect(report.ok).toBe(true);
  expect(report.records.map(({ index }) => index)).toEqual(
    records.filter(({ action }) => action === paid.action).map(({ index }) => index),
  );
  expect(report.records.at(-1)?.states).toMatchObject({
    entry: "proven",
    authority: "proven",
    grant: "proven",
    policy: "proven",
    approval: "proven",
    outcome: "proven",
    // Nobody can see from it that no revocation was left out.
    revocation: "not_shown",
  });
  expect(said(report)).toContainEqual(expect.stringMatching(/ log not_shown entries_hidden$/));
});

test.for([
  [{ principal: "bob" }, 2],
  [{ tool: "drop" }, 1],
  [{ agent: "helper" }, 1],
  [{ verdict: "deny" }, 2],
  [{ principal: "nobody" }, 0],
] as const)("of %j it shows %i records", async ([filter, count]) => {
  const report = await part(filter);
  expect(report.ok).toBe(true);
  const wanted = (await office.reader.records(filter)).map(({ index }) => index);
  expect(wanted).toHaveLength(count);
  expect(report.records.map(({ index }) => index)).toEqual(expect.arrayContaining(wanted));
});

test("a bundle of one person's records shows nothing of another's", async () => {
  const bundle = await office.reader.evidence({ principal: "bob" });
  const readable = [JSON.stringify(bundle), ...tokensIn(bundle)].join();
  expect(readable).toContain("bob");
  for (const name of ["alice", "clerk", "helper", "she left"]) expect(readable).not.toContain(name);
  expect(await judged(bundle)).toMatchObject({ ok: true });
});

test("a head that somebody else holds is compared, also with a part that was cut at it", async () => {
  const { size, root } = parseCheckpoint(whole.checkpoint);
  const verify = async (filter: EvidenceFilter, head: string): Promise<EvidenceReport> =>
    verifyEvidence(await office.reader.evidence(filter), {
      owner: office.behest.owner,
      head: parseHead(head),
    });
  const ours = headOf({ size, root });
  expect((await verify({}, ours)).log.completeness).toBe(`complete up to ${ours}`);
  expect((await verify({ principal: "bob" }, ours)).log.completeness).toBe(`complete up to ${ours}`);
  const forged = headOf({ size: size - 1, root });
  expect(said(await verify({}, forged))).toContainEqual(expect.stringContaining("head_mismatch"));
  expect(said(await verify({ principal: "bob", heads: [3] }, headOf({ size: 3, root })))).toContainEqual(
    expect.stringContaining("head_mismatch"),
  );
});

test("where content is not kept, grants and policies are not evaluated again, and it says so", async () => {
  await using digests = await Office.open("digest");
  const bundle = await digests.reader.evidence();
  const report = await verifyEvidence(bundle, { owner: digests.behest.owner });
  expect(report.ok).toBe(true);
  const [look] = report.records;
  expect(look?.states).toMatchObject({ authority: "proven", grant: "not_shown", policy: "not_shown" });
  // What a person was shown is there.
  const approved = report.records.find(({ approvals }) => approvals.length > 0);
  expect(approved?.states).toMatchObject({ grant: "proven", policy: "not_shown", approval: "proven" });
});

test("one signature over actions of two persons is in the evidence of each, without the other", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store, content: "keep", policy: "default" });
  const people = ["alice", "bob"] as const;
  for (const person of people) {
    const session = await behest.as(person, { pay: {} }, { agent: `${person}'s agent`, run: person });
    await session.perform({ tool: "pay", args: { of: person }, callId: "1" }, async () => 1).catch(() => {});
  }
  const waiting = await behest.approvals.list();
  const plan = await signDecision(waiting, { decision: "approve" }, behest.approver(waiting[0]!.group));
  await behest.approvals.submit(
    waiting.map(({ id }) => id),
    plan,
  );
  for (const [principal, other] of [people, people.toReversed()] as [string, string][]) {
    const bundle = await readStore(store).evidence({ principal });
    expect(JSON.stringify(bundle)).not.toContain(other);
    expect(Object.values(bundle.principals).map(({ subject }) => subject)).toEqual([principal]);
    expect(Object.values(bundle.content).some(({ text }) => text.includes(other))).toBe(false);
    expect(Object.keys(bundle.tokens)).toHaveLength(1);
    const report = await verifyEvidence(bundle, { owner: behest.owner });
    expect(report.ok).toBe(true);
    expect(report.approvals).toMatchObject([{ state: "proven" }]);
  }
});
