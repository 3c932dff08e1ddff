import { readStore, signDecision } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { type ActionEntry, type EvidenceBundle } from "@behest/provenance";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PolicyFolder } from "../../core/test/policy/folder.ts";
import { codes, lied, lying } from "../test/lying.ts";
import { Office } from "../test/office.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";

let office: Office;
let whole: EvidenceBundle;
beforeAll(async () => {
  office = await Office.open();
  whole = await office.reader.evidence();
});
afterAll(() => office[Symbol.asyncDispose]());

async function judged(change: Partial<EvidenceBundle>): Promise<EvidenceReport> {
  return verifyEvidence({ ...whole, ...change }, { owner: office.behest.owner });
}

/** With each member in turn changed, or left out: the codes found each time. */
async function each<K extends "tokens" | "content" | "documents" | "cuts" | "principals">(
  part: K,
  change: (value: EvidenceBundle[K][string]) => EvidenceBundle[K][string] | undefined,
  state?: string,
): Promise<string[]> {
  const found = new Set<string>();
  for (const name of Object.keys(whole[part])) {
    const { [name]: value, ...others } = whole[part] as {
      readonly [name: string]: EvidenceBundle[K][string];
    };
    const changed = change(value!);
    const members = changed === undefined ? others : { ...others, [name]: changed };
    const report = await judged({ [part]: members });
    const all = codes(report, state);
    expect(all, `${part} ${name}`).not.toEqual([]);
    expect(report.ok).toBe(state !== undefined);
    for (const code of all) found.add(code);
  }
  return [...found].toSorted();
}

const another = (text: string): string =>
  text.endsWith("A") ? `${text.slice(0, -1)}B` : `${text.slice(0, -1)}A`;

test("what is not what the log commits to is found, each piece of it", async () => {
  expect(await each("content", ({ salt, text }) => ({ salt, text: `${text} ` }))).toEqual([
    "content_altered",
  ]);
  expect(await each("content", ({ salt, text }) => ({ salt: another(salt), text }))).toEqual([
    "content_altered",
  ]);
  expect(await each("content", () => ({ salt: "short", text: "" }))).toEqual(["content_altered"]);
  expect(await each("documents", (text) => text.replace("forbid", "permit"))).toEqual(["policy_altered"]);
  expect(await each("cuts", another)).toEqual(["cut_altered"]);
  expect(await each("tokens", another)).not.toEqual([]);
  expect(await each("principals", ({ issuer }) => ({ issuer, subject: "mallory" }))).toEqual([
    "cut_mismatch",
    "delegation_mismatch",
  ]);
});

test("what is left out is not shown, and never taken for proven", async () => {
  expect(await each("content", () => undefined, "not_shown")).toEqual([
    "args_not_shown",
    "content_not_shown",
    "facts_not_shown",
  ]);
  expect(await each("documents", () => undefined, "not_shown")).toEqual(["policy_not_shown"]);
  expect(await each("cuts", () => undefined, "not_shown")).toEqual(["cut_not_shown"]);
  expect(await each("tokens", () => undefined, "not_shown")).toContain("chain_not_proven");
  const { records } = await judged({ content: {}, documents: {}, tokens: {} });
  for (const { states } of records)
    for (const aspect of ["authority", "grant", "policy", "content"] as const)
      expect(states[aspect] ?? "not_shown").toBe("not_shown");
});

test("another person's token, and one from another deployment, do not pass", async () => {
  await using other = await Office.open();
  const theirs = Object.values((await other.reader.evidence()).tokens);
  for (const token of [...Object.values(whole.tokens), ...theirs]) {
    const found = await each("tokens", (own) => (own === token ? another(own) : token));
    expect(found).not.toEqual([]);
  }
});

test("entries that are flipped, dropped, swapped, doubled or moved from another log are found", async () => {
  const { log } = whole;
  for (const [i, entry] of log.entries()) {
    const jws = entry as string;
    const flipped = `${jws.slice(0, 40)}${jws[40] === "A" ? "B" : "A"}${jws.slice(41)}`;
    for (const changed of [
      log.with(i, flipped),
      log.toSpliced(i, 1),
      log.toSpliced(i, 0, log[(i + 1) % log.length]!),
      log.with(i, log[(i + 1) % log.length]!),
    ]) {
      const report = await judged({ log: changed });
      expect(report.ok).toBe(false);
      expect(report.records.every(({ states }) => states.entry === "failed")).toBe(true);
    }
  }
});

test("a process that records another verdict than its grants and policies give is contradicted", async () => {
  expect(await lied(() => ({}))).toMatchObject({ ok: true });
  const permitted = { verdict: "permit", attempt: 1 };
  const fine = ({ findings }: ActionEntry): object => ({
    ...permitted,
    findings: findings.map((finding) => ({ ...finding, code: "ok" })),
  });
  expect(codes(await lied(fine))).toEqual(expect.arrayContaining(["grant_differs", "policy_differs"]));
  const other = (entry: ActionEntry): object => ({
    findings: entry.findings.map((finding) =>
      finding.check === "policy" ? { ...finding, rule: "default.cedar#made-up" } : finding,
    ),
  });
  expect(codes(await lied(other))).toContain("policy_differs");
  expect(codes(await lied(({ at }) => ({ at: new Date(Date.parse(at) - 1000).toISOString() })))).toContain(
    "facts_mismatch",
  );
});

const TWO = {
  "a.cedar": `permit(principal, action, resource);
@id("two") @ask("group:finance", "2") forbid(principal, action, resource) when { context.tool == "pay" };`,
};

test.for([
  [2, undefined],
  [1, "approvals_short"],
  [0, "policy_differs"],
] as const)(
  "an attempt that rests on %i of the two persons whom its policies ask for: %s",
  async ([kept, code]) => {
    using folder = new PolicyFolder(TWO);
    const store = lying(({ links }) => ({
      links: { ...links, ...(links.approvals && { approvals: links.approvals.slice(0, kept) }) },
    }));
    await using behest = await testBehest({ store, content: "keep", policy: folder.path });
    const session = await behest.as("alice", { pay: { "*": { constraint_type: "wildcard" } } }, { run: "r" });
    const pay = (): Promise<unknown> =>
      session.perform({ tool: "pay", args: {}, callId: "1" }, async () => 1).catch(() => {});
    await pay();
    const [waiting] = await behest.approvals.list();
    for (const person of [0, 1])
      await behest.approvals.submit(
        waiting!.id,
        await signDecision(waiting!, { decision: "approve" }, behest.approver("finance", person)),
      );
    await pay();
    const report = await verifyEvidence(await readStore(store).evidence(), { owner: behest.owner });
    expect(report.records).toHaveLength(2);
    if (code === undefined) expect(report).toMatchObject({ ok: true, findings: [] });
    else expect(codes(report)).toContain(code);
    expect(report.records.at(-1)?.states.approval === "proven").toBe(code === undefined);
  },
);
