import { type EvidenceBundle, readBundle } from "@behest/provenance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Office } from "../test/office.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";

let office: Office;
let before: EvidenceBundle;
beforeAll(async () => {
  office = await Office.open();
  before = await office.reader.evidence();
  await office.behest.erase({ principal: "bob", reason: "asked by letter", despiteRetention: true });
});
afterAll(() => office[Symbol.asyncDispose]());

function judged(bundle: EvidenceBundle): Promise<EvidenceReport> {
  return verifyEvidence(readBundle(JSON.stringify(bundle)), { owner: office.behest.owner });
}

type Aspects = EvidenceReport["records"][number]["states"];

/** What is said of the records of alice, or of the others: of these aspects, else of all. */
async function said(of: "alice" | "bob", aspects?: readonly (keyof Aspects)[]): Promise<Set<unknown>> {
  const { records } = await judged(await office.reader.evidence());
  const hers = new Set((await office.reader.records({ principal: "alice" })).map(({ index }) => index));
  const wanted = records.filter(({ index }) => hers.has(index) === (of === "alice"));
  return new Set(
    wanted.flatMap(({ states }) => (aspects ? aspects.map((one) => states[one]) : Object.values(states))),
  );
}

test("after an erasure everything of others is proven, and of the erased all that needs no content", async () => {
  const whole = await office.reader.evidence();
  const report = await judged(whole);
  expect(report.ok).toBe(true);
  expect(new Set(report.findings.map(({ state }) => state))).toEqual(new Set(["erased"]));
  expect(await said("alice")).toEqual(new Set(["proven"]));
  expect(await said("bob", ["entry", "decision", "outcome"])).toEqual(new Set(["proven"]));
  expect(await said("bob", ["authority", "grant", "content"])).toEqual(new Set(["erased"]));
  // What others have recorded that mentions somebody is theirs, and stays.
  expect(Object.values(whole.principals).map(({ subject }) => subject)).toEqual(["alice"]);
  expect(Object.keys(whole.tokens)).toHaveLength(2);
});

test("a part says so, too: the entries of erasure are in each", async () => {
  const records = await office.reader.records();
  const { action } = records.findLast(({ principal }) => principal === "(erased)")!;
  const report = await judged(await office.reader.evidence({ action }));
  expect(report.ok).toBe(true);
  expect(report.records[0]?.states).toMatchObject({
    entry: "proven",
    authority: "erased",
    content: "erased",
  });
});

test("what is left out without an erasure is not erased", async () => {
  const { findings } = await judged({ ...before, content: {}, tokens: {} });
  expect(findings.some(({ state }) => state === "erased")).toBe(false);
});

test("what was exported before shows what was there then", async () => {
  const report = await judged(before);
  expect([report.ok, report.findings]).toEqual([true, []]);
});
