// What comes in wrong while an action waits: each has its code, and nothing runs. On both stores.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Approval, type Session, memoryStore, signDecision, sqliteStore } from "@behest/core";
import { generateHolder, holderOf, issueDelegation } from "@behest/delegation";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Asking, asking, granted } from "./deployment.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "behest-bad-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (): string => join(folder, "store", "log.sqlite");
const stores = {
  memory: (clock?: () => number) => memoryStore(clock ? { now: clock } : {}),
  sqlite: () => sqliteStore(path()),
};
const each = ["memory", "sqlite"] as const;
type Config = Parameters<typeof asking>[0];

/** A payment that waits, and what its body did. */
async function waiting(
  kind: (typeof each)[number],
  config: Config = {},
  ...more: [restrictions?: Parameters<typeof asking>[1]]
): Promise<
  Asking & { readonly ran: unknown[]; call(callId?: string): Promise<unknown>; readonly shown: Approval }
> {
  const profiles = { pay: { effect: "reversible", boundary: "inside" } } as const;
  const deployed = await asking({ store: stores[kind](config?.clock), profiles, ...config }, ...more);
  const session: Session = await deployed.open("chat-1");
  const ran: unknown[] = [];
  const call = (callId = "1"): Promise<unknown> =>
    session.perform({ tool: "pay", args: { amount: 5 }, callId }, async (args) => ran.push(args));
  await expect(call()).rejects.toMatchObject({ code: "approval_needed" });
  const [shown] = await deployed.behest.approvals.list();
  return { ...deployed, ran, call, shown: shown! };
}

test.for(each)(
  "an approver who is not enrolled, or not in the group that is asked, approves nothing: %s",
  async (kind) => {
    await using one = await waiting(kind);
    const { behest, shown, call, ran } = one;
    const strangers = [await generateHolder(), behest.holder, behest.issuer.signer, behest.approver("legal")];
    for (const stranger of strangers) {
      const signed = await signDecision(shown, { decision: "approve" }, stranger);
      await expect(behest.approvals.submit(shown.id, signed)).rejects.toMatchObject({
        code: "approval_invalid",
      });
    }
    await expect(call()).rejects.toMatchObject({ code: "approval_needed" });
    expect(ran).toEqual([]);
  },
);

test.for(each)(
  "an enforcing process that is handed an approver's key opens nothing with it: %s",
  async (kind) => {
    await using one = await waiting(kind);
    const { behest } = one;
    const approver = behest.approver("finance");
    const { iss, signer } = behest.issuer;
    const own = await issueDelegation(
      { issuer: iss, holder: approver.jwk, principal: "alice", task: "t", tools: granted, expiresIn: "1h" },
      signer,
    );
    await expect(behest.open(own, { holder: holderOf(approver) })).rejects.toMatchObject({
      code: "key_readable",
    });
    expect(one.ran).toEqual([]);
  },
);

test.for(each)("an approval for something else, and one that is none, approve nothing: %s", async (kind) => {
  await using one = await waiting(kind);
  const { behest, shown, call, ran } = one;
  await expect(call("2")).rejects.toMatchObject({ code: "approval_needed" });
  const other = (await behest.approvals.list()).find(({ id }) => id !== shown.id)!;
  const signed = await signDecision(other, { decision: "approve" }, behest.approver("finance"));
  const [head, payload, signature] = signed.jws.split(".") as [string, string, string];
  const bad = [signed.jws, `${head}.${payload}.${signature.toLowerCase()}`, `${head}..${signature}`, "", "x"];
  for (const jws of bad)
    await expect(behest.approvals.submit(shown.id, { jws })).rejects.toMatchObject({
      code: "approval_invalid",
    });
  await expect(behest.approvals.submit("nothing", signed)).rejects.toMatchObject({
    code: "approval_missing",
  });
  await expect(call()).rejects.toMatchObject({ code: "approval_needed" });
  expect(ran).toEqual([]);
});

test.for(each.flatMap((kind) => [[kind, 50, true] as const, [kind, 70, false] as const]))(
  "an approver's clock may be a minute ahead, and not more: %s, %s s",
  async ([kind, seconds, taken]) => {
    await using one = await waiting(kind, { clock: () => Date.now() - seconds * 1000 });
    const signed = await signDecision(one.shown, { decision: "approve" }, one.behest.approver("finance"));
    const submitted = one.behest.approvals.submit(one.shown.id, signed);
    if (taken) await submitted;
    else await expect(submitted).rejects.toMatchObject({ code: "approval_invalid" });
    if (taken) await one.call();
    else await expect(one.call()).rejects.toMatchObject({ code: "approval_needed" });
    expect(one.ran).toHaveLength(taken ? 1 : 0);
  },
);

test.for(each)("a clock that runs away from the approval, or back, starts nothing: %s", async (kind) => {
  let ahead = 0;
  await using one = await waiting(kind, { clock: () => Date.now() + ahead });
  await one.decide("approve");
  ahead = 3_700_000;
  await expect(one.call()).rejects.toMatchObject({ code: "delegation_expired" });
  expect(one.ran).toEqual([]);
  // Back before it was asked: what the person signed lies ahead.
  ahead = -600_000;
  await expect(one.call()).rejects.toMatchObject({ code: "approval_needed" });
  expect(one.ran).toEqual([]);
});

test.for(each)(
  "a policy that is missing, unreadable or wrong starts no process and makes no store: %s",
  async (kind) => {
    const policies = join(folder, "policies");
    const start = () => asking({ store: stores[kind](), policy: policies });
    await expect(start()).rejects.toMatchObject({ code: "policy_missing" });
    mkdirSync(policies);
    await expect(start()).rejects.toMatchObject({ code: "policy_missing" });
    writeFileSync(join(policies, "a.cedar"), "permit everything;");
    await expect(start()).rejects.toMatchObject({ code: "policy_invalid" });
    writeFileSync(join(policies, "a.cedar"), Buffer.from([0xff, 0xfe, 0x00]));
    await expect(start()).rejects.toMatchObject({ code: "policy_invalid" });
    // For root no file is unreadable: a folder in its place is.
    rmSync(join(policies, "a.cedar"));
    mkdirSync(join(policies, "a.cedar"));
    await expect(start()).rejects.toMatchObject({ code: expect.stringMatching(/^policy_/) });
    chmodSync(policies, 0o700);
    expect(existsSync(path())).toBe(false);
  },
);

test.for(each)("an ask reserves nothing: twenty questions leave the limit whole: %s", async (kind) => {
  await using one = await waiting(
    kind,
    {},
    {
      approvals: { pay: { finance: 1 } },
      limits: { calls: 1 },
    },
  );
  for (let n = 2; n < 20; n++)
    await expect(one.call(String(n))).rejects.toMatchObject({ code: "approval_needed" });
  await one.decide("approve");
  await expect(one.call("7")).resolves.toMatchObject({ outcome: "done" });
  await expect(one.call("8")).rejects.toMatchObject({ code: "budget_spent" });
  expect(one.ran).toHaveLength(1);
});
