import { deriveDelegation } from "@behest/delegation";
import * as fc from "fast-check";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { type RestrictedBehest, restrictedBehest } from "../../test/restricted.ts";
import { signDecision } from "../approval/approval.ts";
import type { BehestConfig } from "../behest.ts";
import { loadPolicies } from "../policy/policies.ts";
import type { Profile } from "../profile/profile.ts";
import { liveOf } from "../session/session.ts";
import { memoryStore } from "../store/memory.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import type { Outcome, Session } from "../types.ts";

const tools = { pay: {}, look: {}, note: {} };
const profiles: { readonly [tool: string]: Profile } = {
  pay: {
    effect: "irreversible",
    boundary: "outside",
    amount: ({ value, currency = "EUR" }: { value: string | number; currency?: string }) => ({
      value,
      currency,
    }),
  },
  look: { effect: "read", boundary: "inside" },
};
const done = { outcome: "done" };
const spent = { code: "budget_spent", name: "BehestDenied" };

const pay = (session: Session, value: string | number, currency = "EUR"): Promise<Outcome<string>> =>
  session.perform({ tool: "pay", args: { value, currency } }, async () => "paid");
const look = (session: Session): Promise<Outcome<string>> =>
  session.perform({ tool: "look", args: {} }, async () => "seen");

const limited = (limit: string, id = "all"): string =>
  `@id("${id}") @limit("${limit}") permit(principal, action, resource);\n`;

async function under(policies: string, config: Partial<BehestConfig> = {}): Promise<RestrictedBehest> {
  using folder = new PolicyFolder({ "a.cedar": policies });
  return await restrictedBehest(tools, { profiles, policy: folder.path, ...config });
}

/** The policies of a deployment are those that it started with: this stands for a start with others. */
async function restart(session: Session, policies: string): Promise<void> {
  using folder = new PolicyFolder({ "a.cedar": policies });
  Object.assign(liveOf(session)!.deployment, { policies: await loadPolicies(folder.path) });
}

async function lastFinding(behest: RestrictedBehest): Promise<object> {
  const { index } = (await behest.records.list()).at(-1)!;
  return (await behest.records.get(index))!.entries.action.findings.at(-1)!;
}

test.each(["memory", "sqlite"])(
  "64 parallel siblings cannot overspend what a policy limits (%s)",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "behest-budget-"));
    const store = kind === "sqlite" ? sqliteStore(join(folder, "log.db")) : memoryStore();
    {
      await using behest = await under(limited("50 calls, 9.90 EUR per subtree"), { store });
      const root = await behest.opened({});
      const siblings = await Promise.all(Array.from({ length: 64 }, () => root.delegate({ tools })));
      const attempts = await Promise.allSettled(siblings.map((session) => pay(session, 0.3)));
      expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(33);
      for (const attempt of attempts)
        if (attempt.status === "rejected") expect(attempt.reason).toMatchObject(spent);
      const records = await behest.records.list();
      expect(records.filter(({ verdict }) => verdict === "permit")).toHaveLength(33);
    }
    rmSync(folder, { recursive: true });
  },
);

/** A node of a tree of agents: whose child it is, and what it pays, in cents. */
const agent = fc.record({
  parent: fc.nat(),
  payments: fc.array(fc.integer({ min: 0, max: 120 }), { maxLength: 5 }),
});
const euros = (cents: number): string => (cents / 100).toFixed(2);

test("whatever the tree and whoever comes first, no limit of a policy is passed, and all of it can be spent", async () => {
  const limits = fc.record({
    calls: fc.integer({ min: 1, max: 20 }),
    subtree: fc.nat(500),
    lifetime: fc.nat(250),
    action: fc.nat(120),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(agent, { minLength: 1, maxLength: 7 }), limits, async (agents, most) => {
      const { calls, subtree, lifetime, action } = most;
      await using behest = await under(
        limited(
          `${calls} calls, ${euros(subtree)} EUR; ${euros(lifetime)} EUR per lifetime; ${euros(action)} EUR per action`,
        ),
      );
      const sessions: Session[] = [await behest.opened({})];
      for (const { parent } of agents)
        sessions.push(await sessions[parent % sessions.length]!.delegate({ tools }));
      const paid = await Promise.all(
        agents.map(async ({ payments }, i) => {
          const ended = await Promise.allSettled(
            payments.map(async (cents) => (await pay(sessions[i + 1]!, euros(cents)), cents)),
          );
          return ended.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        }),
      );
      const sum = (cents: readonly number[]): number => cents.reduce((total, one) => total + one, 0);
      const all = paid.flat();
      expect(all.length).toBeLessThanOrEqual(calls);
      expect(sum(all)).toBeLessThanOrEqual(subtree);
      for (const own of paid) expect(sum(own)).toBeLessThanOrEqual(lifetime);
      for (const cents of all) expect(cents).toBeLessThanOrEqual(action);
      if (all.length === calls) return;
      // What was refused has taken nothing: the rest is there, and not a cent more.
      const rest = Math.min(subtree - sum(all), lifetime, action);
      await expect(pay(sessions[0]!, euros(rest + 1))).rejects.toMatchObject(spent);
      expect(await pay(sessions[0]!, euros(rest))).toMatchObject(done);
    }),
    { numRuns: 40 },
  );
});

test("a lifetime is the leaf's, a subtree the root's and of everything below it", async () => {
  await using behest = await under(limited("2 calls per lifetime; 5 calls per subtree"));
  const root = await behest.opened({});
  const child = await root.delegate({ tools });
  const below = await child.delegate({ tools });
  for (const session of [root, child]) {
    expect([await look(session), await look(session)]).toMatchObject([done, done]);
    await expect(look(session)).rejects.toMatchObject(spent);
    expect(await lastFinding(behest)).toEqual({
      check: "budget",
      code: "budget_spent",
      path: "policies.a.cedar#all.limits.lifetime.calls",
    });
  }
  expect(await look(below)).toMatchObject(done);
  await expect(look(below)).rejects.toMatchObject(spent);
  expect(await lastFinding(behest)).toMatchObject({ path: "policies.a.cedar#all.limits.subtree.calls" });
});

test("all policies that permit an action limit it, and one without a limit lifts none", async () => {
  await using behest = await under(
    `permit(principal, action, resource);
     ${limited("3 calls", "few")}
     @id("paying") @limit("1 EUR") permit(principal, action, resource) when { context.tool == "pay" };`,
  );
  const session = await behest.opened({ limits: { calls: 10 } });
  await expect(pay(session, "1.01")).rejects.toMatchObject(spent);
  expect([await pay(session, "0.40"), await look(session), await look(session)]).toMatchObject([
    done,
    done,
    done,
  ]);
  await expect(look(session)).rejects.toMatchObject(spent);
  const other = await behest.opened({});
  expect(await pay(other, "1")).toMatchObject(done);
  await expect(pay(other, "0.01")).rejects.toMatchObject(spent);
  expect(await look(other)).toMatchObject(done);
});

test("neither siblings, nor another name, run or session make a spent budget new; another root has its own", async () => {
  await using behest = await under(limited("2 calls per subtree"));
  const token = await behest.issue({});
  const first = await behest.open(token, { agent: "clerk", run: "one" });
  expect([await look(first), await look(await first.delegate({ tools }))]).toMatchObject([done, done]);
  const { holder } = behest;
  const derived = await deriveDelegation(
    token,
    { holder: holder.jwk, tools, agent: "other", jti: "j" },
    holder,
  );
  for (const session of [
    first,
    await first.delegate({ tools, agent: "other" }),
    await (await first.delegate({ tools })).delegate({ tools }),
    await behest.open(token, { agent: "another", run: "two" }),
    await behest.open(token),
    await behest.open(derived),
  ])
    await expect(look(session)).rejects.toMatchObject(spent);
  // Who signs roots decides how many there are: the same person's next one is counted for itself.
  expect(await look(await behest.opened({ task: "next" }))).toMatchObject(done);
  expect(await look(await behest.opened({ principal: "bob" }))).toMatchObject(done);
});

test("a changed policy gives nothing back and counts at once; under another id it begins anew", async () => {
  await using behest = await under(limited("2 EUR"));
  const session = await behest.opened({});
  expect(await pay(session, 2)).toMatchObject(done);
  await restart(session, `// rewritten\n${limited("3 EUR")}`);
  await expect(pay(session, "1.01")).rejects.toMatchObject(spent);
  expect(await pay(session, "0.5")).toMatchObject(done);
  await restart(session, limited("1 EUR"));
  await expect(pay(session, "0.01")).rejects.toMatchObject(spent);
  await restart(session, `forbid(principal, action, resource);\n${limited("3 EUR")}`);
  await expect(pay(session, "0.01")).rejects.toMatchObject({ code: "policy_denied" });
  await restart(session, limited("3 EUR"));
  await expect(pay(session, "0.51")).rejects.toMatchObject(spent);
  await restart(session, limited("3 EUR", "other"));
  expect(await pay(session, "0.51")).toMatchObject(done);
});

test("a record shows where it was counted and which limit refused it; nobody is told an amount", async () => {
  await using behest = await under(limited("77.7 EUR; 66.6 EUR per action"));
  const session = await behest.opened({});
  expect(await pay(session, "66.6")).toMatchObject(done);
  expect(await lastFinding(behest)).toEqual({
    check: "policy",
    code: "ok",
    rule: "a.cedar#all",
    path: "policies.a.cedar#all.limits.subtree policies.a.cedar#all.limits.action",
  });
  for (const [value, currency, per] of [
    ["66.61", "EUR", "action"],
    ["55.5", "EUR", "subtree"],
    ["1", "USD", "subtree"],
  ] as const) {
    const error = await pay(session, value, currency).catch((e: unknown) => e as Error);
    expect(error).toMatchObject(spent);
    expect(String(error)).not.toMatch(/55|66|77|EUR|USD/);
    expect(await lastFinding(behest)).toMatchObject({
      code: "budget_spent",
      path: `policies.a.cedar#all.limits.${per}.amount`,
    });
  }
});

test("where a policy limits amounts, what does not say what it spends may only read", async () => {
  await using behest = await under(limited("5 EUR"));
  const session = await behest.opened({});
  const note = session.perform({ tool: "note", args: {} }, async () => expect.unreachable("it ran"));
  await expect(note).rejects.toMatchObject({ code: "amount_unknown" });
  expect(await lastFinding(behest)).toMatchObject({
    check: "policy",
    code: "amount_unknown",
    rule: "a.cedar#all",
    path: "policies.a.cedar#all.limits.subtree.amount",
  });
  expect(await look(session)).toMatchObject(done);
});

test("what was approved is charged when it starts, to those that permit it without the asking", async () => {
  await using behest = await under(
    `${limited("3 EUR; 2 EUR per action")}
     @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };`,
  );
  const session = await behest.opened({}, { run: "chat" });
  const call = (callId: string, value: number): Promise<unknown> =>
    session.perform({ tool: "pay", args: { value }, callId }, async () => "paid");
  // Nobody is asked for what no approval could start.
  await expect(call("0", 2.5)).rejects.toMatchObject(spent);
  for (const callId of ["1", "2"])
    await expect(call(callId, 2)).rejects.toMatchObject({ code: "approval_needed" });
  for (const approval of await behest.approvals.list())
    await behest.approvals.submit(
      approval.id,
      await signDecision(approval, { decision: "approve" }, behest.approver("finance")),
    );
  expect(await call("1", 2)).toMatchObject(done);
  await expect(call("2", 2)).rejects.toMatchObject(spent);
  // Told again, it is not charged again, and what there was no room for keeps its approval.
  expect(await call("1", 2)).toMatchObject(done);
  await restart(session, limited("4 EUR"));
  expect(await call("2", 2)).toMatchObject(done);
  await expect(call("3", 0.01)).rejects.toMatchObject(spent);
});
