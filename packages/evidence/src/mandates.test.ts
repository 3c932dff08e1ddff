import { type Store, draftMandate, memoryStore, readStore, signMandate } from "@behest/core";
import type { ActionEntry, EvidenceBundle } from "@behest/provenance";
import { expect, test } from "vitest";
import { liveOf } from "../../core/src/session/session.ts";
import { PolicyFolder } from "../../core/test/policy/folder.ts";
import { restrictedBehest } from "../../core/test/restricted.ts";
import { codes, lying } from "../test/lying.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";

const approvals = { pay: { finance: 1 } };
const profiles = {
  pay: {
    effect: "irreversible",
    boundary: "outside",
    amount: ({ sum, in: currency = "EUR" }: { sum: number; in?: string }) => ({ value: sum, currency }),
  },
} as never;

/** A payment of 5 to bob under a mandate for such, and one more, of which the process says that it lies within it, too. */
async function paid(args: object, store: Store): Promise<{ bundle: EvidenceBundle; judged: Judge }> {
  using folder = new PolicyFolder({ "a.cedar": "permit(principal, action, resource);" });
  await using behest = await restrictedBehest(
    { pay: {} },
    { store, content: "keep", policy: folder.path, profiles },
  );
  const delegation = await behest.issue({ approvals });
  const session = await behest.open(delegation, { run: "r" });
  const mandate = draftMandate({
    delegation,
    tool: "pay",
    constraints: {
      to: { constraint_type: "exact", value: "bob" },
      sum: { constraint_type: "range", max: 1000 },
      in: { constraint_type: "wildcard", optional: true },
    },
    count: 3,
    amount: { EUR: "20" },
    group: "finance",
    policy: liveOf(session)!.deployment.policies!.digest,
    expires: Date.now() + 3_600_000,
  });
  await behest.approvals.submitAhead(
    await signMandate(mandate, { decision: "approve" }, behest.approver("finance")),
  );
  for (const one of [{ to: "bob", sum: 5 }, args])
    await session.perform({ tool: "pay", args: one as never }, async () => 1).catch(() => {});
  const bundle = await readStore(store).evidence();
  return { bundle, judged: (change) => verifyEvidence({ ...bundle, ...change }, { owner: behest.owner }) };
}

type Judge = (change?: Partial<EvidenceBundle>) => Promise<EvidenceReport>;

/** What waits is recorded as granted by what the one before it rests on. */
function stretching(): Store {
  let before: ActionEntry["links"]["approvals"];
  return lying(({ links, findings }) => {
    before ??= links.approvals;
    const granted = findings.map((finding) => ({ ...finding, code: "ok" }));
    return { links: { ...links, approvals: before! }, verdict: "permit", attempt: 1, findings: granted };
  });
}

test("what rests on a mandate lies within its terms", async () => {
  const { judged, bundle } = await paid({ to: "bob", sum: 15 }, memoryStore());
  const report = await judged();
  expect(report).toMatchObject({ ok: true, records: [{ verdict: "permit" }, { verdict: "permit" }] });
  expect(report.records.map(({ states }) => states.approval)).toEqual(["proven", "proven"]);
  // Without the terms nobody can tell.
  const content = Object.fromEntries(
    Object.entries(bundle.content).filter(([, { text }]) => !text.includes("constraints")),
  );
  const without = await judged({ content });
  expect(without.records.map(({ states }) => states.approval)).toEqual(["not_shown", "not_shown"]);
  expect(without.ok).toBe(true);
});

test.for([
  [{ to: "eve", sum: 5 }],
  [{ to: "bob", sum: 5, memo: "x" }],
  [{ to: "bob", sum: 21 }],
  [{ to: "bob", sum: 5, in: "USD" }],
] as const)("a process that lets %j rest on it is contradicted", async ([args]) => {
  const report = await (await paid(args, stretching())).judged();
  expect(codes(report)).toEqual(["mandate_exceeded"]);
  expect(report.records.map(({ states }) => states.approval)).toEqual(["proven", "failed"]);
});

test("terms that are not those that were signed", async () => {
  const { judged, bundle } = await paid({ to: "bob", sum: 1 }, memoryStore());
  const content = Object.fromEntries(
    Object.entries(bundle.content).map(([name, { salt, text }]) => [
      name,
      { salt, text: text.includes("constraints") ? text.replace("bob", "eve") : text },
    ]),
  );
  expect(codes(await judged({ content }))).toEqual(["mandate_exceeded"]);
});
