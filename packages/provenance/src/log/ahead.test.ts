import { expect, test } from "vitest";
import type { Signer } from "@behest/jws";
import { AT, Deployment, NOW, digest, key } from "../../test/deployment.ts";
import {
  type DelegationEntry,
  type LogReport,
  type MandateStatement,
  type OverrideStatement,
  signMandateStatement,
  signOverrideStatement,
  signTrust,
  trustHash,
} from "../index.ts";

function said({ findings }: LogReport): string[] {
  const known = new Set(["token_not_shown", "outcome_not_shown"]);
  return findings.filter(({ code }) => !known.has(code)).map(({ index, code }) => `${index} ${code}`);
}

const LATER = new Date(Date.parse(AT) + 700_000).toISOString();

/** A root (1), a child of it (2) and another root (3); the cfo is in finance and in break-glass. */
async function deployment() {
  const [cfo, clerk] = [await key(), await key()];
  const made = await Deployment.make({
    approvers: [
      { group: "finance", person: "cfo", jwk: cfo.jwk },
      { group: "break-glass", person: "cfo", jwk: cfo.jwk },
      { group: "finance", person: "clerk", jwk: clerk.jwk },
    ],
  });
  made.open();
  const root = made.append(made.delegation());
  const { issuer: _, ...derived } = made.delegation() as DelegationEntry;
  const child = made.append({
    ...derived,
    jti: "c",
    leaf: digest("child"),
    depth: 1,
    links: { parent: root },
  });
  const other = made.append(made.delegation({ jti: "o", leaf: digest("other") }));
  const leafOf = new Map([
    [root, digest("token")],
    [child, digest("child")],
    [other, digest("other")],
  ]);
  const mandate = async (
    change: Partial<MandateStatement> = {},
    { by = cfo, entry = {} }: { by?: Signer; entry?: object } = {},
  ): Promise<string> => {
    const statement: MandateStatement = {
      v: 1,
      decision: "approve",
      leaf: digest("token"),
      tool: "read_file",
      count: 2,
      terms: digest("terms"),
      group: "finance",
      iat: NOW,
      exp: NOW + 600,
      ...change,
    };
    return made.append({
      v: 1,
      type: "approval",
      kind: "mandate",
      at: AT,
      decision: await signMandateStatement(statement, by),
      content: { terms: statement.terms },
      links: { delegation: root },
      ...entry,
    });
  };
  const override = async (
    change: Partial<OverrideStatement> = {},
    { by = cfo, entry = {} }: { by?: Signer; entry?: object } = {},
  ): Promise<string> => {
    const statement: OverrideStatement = {
      v: 1,
      decision: "approve",
      leaf: digest("token"),
      reason: digest("reason"),
      iat: NOW,
      exp: NOW + 600,
      ...change,
    };
    return made.append({
      v: 1,
      type: "approval",
      kind: "override",
      at: AT,
      decision: await signOverrideStatement(statement, by),
      content: { reason: statement.reason },
      links: { delegation: root },
      ...entry,
    });
  };
  let actions = 0;
  const start = (
    links: { approvals?: string[]; override?: string },
    {
      under = root,
      tool = "read_file",
      change = {},
    }: { under?: string; tool?: string; change?: object } = {},
  ): string => {
    const findings =
      links.override === undefined ? [] : [{ check: "override", code: "break_glass", rule: "r" }];
    const decided = { leaf: leafOf.get(under)!, tool };
    return made.append(
      made.action(under, {
        action: `call-${actions++}`,
        decided,
        change: { tool, findings, links: { delegation: under, ...links }, ...change },
      }),
    );
  };
  return { made, root, child, other, cfo, clerk, mandate, override, start };
}

test("a mandate is used as often as was signed, below its delegation", async () => {
  const { made, child, clerk, mandate, start } = await deployment();
  const approvals = [await mandate(), await mandate({}, { by: clerk })];
  start({ approvals });
  start({ approvals }, { under: child });
  expect(said(await made.verify())).toEqual([]);
  start({ approvals });
  expect(said(await made.verify())).toEqual(["8 approval_overspent"]);
});

test("a mandate covers no other delegation, tool or policies, and nothing after its time or its end", async () => {
  const { made, other, clerk, mandate, start } = await deployment();
  const approvals = [await mandate()];
  start({ approvals }, { under: other });
  start({ approvals }, { tool: "send_mail" });
  start({ approvals }, { change: { policy: digest("p") } });
  start({ approvals }, { change: { at: LATER } });
  start({ override: approvals[0]! });
  start({ approvals: [await mandate({ decision: "deny" }, { by: clerk })] });
  start({ approvals });
  expect(said(await made.verify())).toEqual([
    "5 approval_mismatch",
    "6 approval_mismatch",
    "7 approval_mismatch",
    "8 approval_expired",
    "9 approval_mismatch",
    "11 approval_mismatch",
    "12 approval_withdrawn",
  ]);
});

test("a forged mandate proves nothing", async () => {
  const { made, child, cfo, mandate } = await deployment();
  await mandate({}, { by: await key() });
  await mandate({}, { by: { jwk: cfo.jwk, sign: (bytes) => made.holder.sign(bytes) } });
  await mandate({ group: "legal" });
  await mandate({ leaf: digest("child") });
  await mandate({}, { entry: { links: { delegation: child } } });
  await mandate({}, { entry: { content: { terms: digest("others") } } });
  await mandate({ exp: NOW - 120 });
  await mandate({ iat: NOW + 120 });
  await mandate({ count: 0 });
  // The first that holds has the name.
  await mandate();
  await mandate({ count: 3 });
  expect(said(await made.verify())).toEqual([
    "4 approver_not_trusted",
    "5 signature_invalid",
    "6 approver_not_trusted",
    "7 approval_mismatch",
    "8 approval_mismatch",
    "9 approval_mismatch",
    "10 approval_expired",
    "11 approval_expired",
    "12 malformed_approval",
    "14 approval_mismatch",
  ]);
});

test("an override is told wherever it is linked, and linked wherever it is told", async () => {
  const { made, child, override, start } = await deployment();
  const lifts = await override();
  start({ override: lifts });
  start({ override: lifts }, { under: child, tool: "pay" });
  expect(said(await made.verify())).toEqual([]);
  start({ override: lifts }, { change: { findings: [] } });
  start({}, { change: { findings: [{ check: "override", code: "break_glass" }] } });
  start({ approvals: [lifts] });
  expect(said(await made.verify())).toEqual([
    "7 approval_mismatch",
    "8 approval_mismatch",
    "9 approval_mismatch",
  ]);
});

test("an override is of break-glass, for an hour at most, for its chain and its tools, until it is ended", async () => {
  const { made, other, clerk, override, start } = await deployment();
  await override({}, { by: clerk });
  await override({ exp: NOW + 3601 });
  const lifts = await override({ tools: ["read_file"] });
  start({ override: lifts }, { under: other });
  start({ override: lifts }, { tool: "pay" });
  start({ override: lifts }, { change: { at: LATER } });
  await override({ tools: ["read_file"], decision: "deny" });
  start({ override: lifts });
  expect(said(await made.verify())).toEqual([
    "4 approver_not_trusted",
    "5 malformed_approval",
    "7 approval_mismatch",
    "8 approval_mismatch",
    "9 approval_expired",
    "11 approval_withdrawn",
  ]);
});

test("nobody approves ahead whose person has a key in the chain", async () => {
  const { made, clerk, mandate, override, start } = await deployment();
  const { manifest, owner, trust, holder } = made;
  const approvers = [...manifest.approvers, { group: "legal", person: "cfo", jwk: holder.jwk }];
  const next = { ...manifest, approvers, seq: manifest.seq + 1, prev: trustHash(trust) };
  made.append({ v: 1, type: "trust", at: AT, manifest: await signTrust(next, owner) });
  start({ approvals: [await mandate()] });
  start({ override: await override() });
  start({ approvals: [await mandate({}, { by: clerk })] });
  expect(said(await made.verify())).toEqual(["6 approver_not_trusted", "8 approver_not_trusted"]);
});
