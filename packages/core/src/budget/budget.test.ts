import { deriveDelegation } from "@behest/delegation";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { restrictedBehest } from "../../test/restricted.ts";
import { callTool, spawn } from "../adapter.ts";
import type { Profile } from "../profile/profile.ts";
import { memoryStore } from "../store/memory.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/types.ts";
import type { Outcome, Session } from "../types.ts";

const tools = { pay: {}, look: {}, fetch: {}, note: {} };
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
  fetch: { effect: "read", boundary: "outside", amount: () => ({ value: "0.25", currency: "EUR" }) },
};
const run = async (): Promise<string> => "ran";
const never = async (): Promise<never> => expect.unreachable("a tool body ran");
const spent = { code: "budget_spent", name: "BehestDenied" };

const pay = (session: Session, value: string | number, currency?: string): Promise<Outcome<string>> =>
  session.perform({ tool: "pay", args: { value, ...(currency !== undefined && { currency }) } }, run);
const look = (session: Session): Promise<Outcome<string>> => session.perform({ tool: "look", args: {} }, run);
const done = { outcome: "done" };

async function withSqlite<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "behest-budget-"));
  try {
    return await use(sqliteStore(join(folder, "log.db")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const STORES: readonly [string, (use: (store: Store) => Promise<void>) => Promise<void>][] = [
  ["memory", (use) => use(memoryStore())],
  ["sqlite", withSqlite],
];

test.each(STORES)("64 parallel siblings cannot overspend (%s)", (_, on) =>
  on(async (store) => {
    await using behest = await restrictedBehest(tools, { profiles, store });
    const session = await behest.opened({
      limits: [{ calls: 50 }, { amount: { EUR: "9.90" }, per: "lifetime" }],
    });
    let ran = 0;
    const attempts = await Promise.allSettled(
      Array.from({ length: 64 }, () =>
        session.perform({ tool: "pay", args: { value: 0.3 } }, async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return ran++;
        }),
      ),
    );
    expect(ran).toBe(33);
    expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(33);
    for (const attempt of attempts)
      if (attempt.status === "rejected") expect(attempt.reason).toMatchObject(spent);
    const records = await behest.records.list();
    expect(records.filter(({ verdict }) => verdict === "permit")).toHaveLength(33);
    expect(records.filter(({ code }) => code === "budget_spent")).toHaveLength(31);
  }),
);

test("a subtree is counted together over three levels and two sub-agents", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const root = await behest.opened({ limits: { calls: 7, amount: { EUR: "10" } } });
  const [left, right] = [
    await root.delegate({ tools, limits: { calls: 3 } }),
    await root.delegate({ tools, limits: { amount: { EUR: "6" } } }),
  ];
  const below = await left.delegate({ tools, limits: { amount: { EUR: "2.5" } } });
  expect(await pay(below, "2.5")).toMatchObject(done);
  await expect(pay(below, "0.01")).rejects.toMatchObject(spent);
  expect(await pay(left, "1.5")).toMatchObject(done);
  expect(await pay(right, "5.99")).toMatchObject(done);
  // Its own limit would let it, its root's does not: 2.5 + 1.5 + 5.99.
  await expect(pay(left, "0.02")).rejects.toMatchObject(spent);
  expect(await pay(root, "0.01")).toMatchObject(done);
  expect(await look(below)).toMatchObject(done);
  await expect(look(left)).rejects.toMatchObject(spent);
  await expect(look(below)).rejects.toMatchObject(spent);
  expect([await look(right), await look(root)]).toMatchObject([done, done]);
  for (const session of [root, right]) await expect(look(session)).rejects.toMatchObject(spent);
  const denied = await behest.records.list({ verdict: "deny" });
  const paths = [];
  for (const { index } of denied)
    paths.push((await behest.records.get(index))!.entries.action.findings.at(-1)!.path);
  expect(paths).toEqual([
    "hops.2.limits.subtree.amount",
    "hops.0.limits.subtree.amount",
    "hops.1.limits.subtree.calls",
    "hops.1.limits.subtree.calls",
    "hops.0.limits.subtree.calls",
    "hops.0.limits.subtree.calls",
  ]);
});

test("a lifetime is that of the very token, whose children have their own", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const token = await behest.issue({ limits: { calls: 2, per: "lifetime" } });
  const root = await behest.open(token);
  const child = await root.delegate({ tools });
  expect([await look(root), await look(child), await look(child)]).toMatchObject([done, done, done]);
  await expect(look(child)).rejects.toMatchObject(spent);
  // Opening it again begins nothing anew.
  const again = await behest.open(token);
  expect(await look(again)).toMatchObject(done);
  for (const session of [again, root]) await expect(look(session)).rejects.toMatchObject(spent);
});

test("an action may not spend more than one may, whatever is left elsewhere", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({
    limits: [{ amount: { EUR: "1.50", USD: "3" }, per: "action" }, { amount: { EUR: "100", USD: "1" } }],
  });
  for (let i = 0; i < 5; i++) expect(await pay(session, "1.5")).toMatchObject(done);
  await expect(pay(session, "1.51")).rejects.toMatchObject(spent);
  await expect(pay(session, 2, "USD")).rejects.toMatchObject(spent);
  expect(await pay(session, 1, "USD")).toMatchObject(done);
  expect(await session.authorize({ tool: "pay", args: { value: "1.51" } })).toMatchObject({
    verdict: "deny",
  });
});

test("amounts are exact: three times 0.1 are 0.3, and not a hair more", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ limits: { amount: { EUR: "0.3" } } });
  for (let i = 0; i < 3; i++) expect(await pay(session, 0.1)).toMatchObject(done);
  await expect(pay(session, `0.${"0".repeat(36)}1`)).rejects.toMatchObject(spent);
  expect(await pay(session, "0.00")).toMatchObject(done);
});

test("a currency that is not listed may not be spent, and with none listed none", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const euros = await behest.opened({ limits: { amount: { EUR: "10" } } });
  const nothing = await behest.opened({ limits: { amount: {}, per: "lifetime" } });
  await expect(pay(euros, "0.01", "USD")).rejects.toMatchObject(spent);
  await expect(pay(nothing, "0.01")).rejects.toMatchObject(spent);
  await expect(pay(euros, "0.01", "HUNTER2")).rejects.toMatchObject({
    message: expect.not.stringContaining("HUNTER2") as string,
  });
  expect(await pay(nothing, "0")).toMatchObject(done);
  expect(await look(nothing)).toMatchObject(done);
});

test("where amounts are limited, what does not say what it spends may only read", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ limits: { amount: { EUR: "0.5" } } });
  await expect(session.perform({ tool: "note", args: {} }, never)).rejects.toMatchObject({
    code: "amount_unknown",
  });
  expect(await look(session)).toMatchObject(done);
  // A read that says so spends.
  const fetch = (): Promise<Outcome<string>> => session.perform({ tool: "fetch", args: {} }, run);
  expect([await fetch(), await fetch()]).toMatchObject([done, done]);
  await expect(fetch()).rejects.toMatchObject(spent);
  const counted = await behest.opened({ limits: { calls: 1 } });
  expect(await counted.perform({ tool: "note", args: {} }, run)).toMatchObject(done);
});

test("an action counts once, whatever is told again; spawns are no actions; those inside others are", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ limits: { calls: 3, amount: { EUR: "2" } } }, { run: "r" });
  const call = { tool: "pay", args: { value: 1 }, callId: "c", turn: "t" };
  const answers = await Promise.allSettled(Array.from({ length: 5 }, () => callTool(session, call, run)));
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (let i = 0; i < 5; i++) expect(await callTool(session, call, run)).toBe("ran");
  const helper = { tool: "helper", args: {}, callId: "h", turn: "t" };
  expect(await spawn(session, helper, { tools }, run)).toBe("ran");
  await session.perform({ tool: "look", args: {} }, async () => {
    expect(await pay(session, 1)).toMatchObject(done);
  });
  await expect(look(session)).rejects.toMatchObject(spent);
});

test("a read that is tried again counts once; under another delegation it counts there too", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const open = async (calls: number): Promise<Session> => behest.opened({ limits: { calls } }, { run: "r" });
  const call = { tool: "look", args: {}, callId: "c", turn: "t" };
  const fail = (): Promise<never> => Promise.reject(new Error("down"));
  const first = await open(2);
  await expect(callTool(first, call, fail)).rejects.toThrow("down");
  await expect(callTool(first, call, fail)).rejects.toThrow("down");
  await expect(callTool(await open(0), call, never)).rejects.toMatchObject(spent);
  const second = await open(1);
  expect(await callTool(second, call, run)).toBe("ran");
  await expect(look(second)).rejects.toMatchObject(spent);
  expect(await look(first)).toMatchObject(done);
  await expect(look(first)).rejects.toMatchObject(spent);
});

test("a record shows where an action was counted, and a refusal which limit, and neither an amount", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const root = await behest.opened({ limits: [{ amount: { EUR: "77.7" } }, { calls: 9, per: "lifetime" }] });
  const child = await root.delegate({ tools });
  await pay(child, "66.6");
  const error = await pay(child, "55.5").catch((e: unknown) => e as Error);
  expect(String(error)).not.toMatch(/55|66|77|EUR/);
  const [permitted, denied] = await behest.records.list();
  const findings = async (index: number) => (await behest.records.get(index))!.entries.action.findings;
  expect(await findings(permitted!.index)).toContainEqual({
    check: "budget",
    code: "ok",
    rule: "hops.0.limits.subtree hops.1.limits.lifetime hops.1.limits.subtree",
  });
  const last = await findings(denied!.index);
  expect(last.filter(({ check }) => check === "budget")).toEqual([
    { check: "budget", code: "budget_spent", path: "hops.0.limits.subtree.amount" },
  ]);
  expect(denied).toMatchObject({ verdict: "deny", code: "budget_spent" });
  const free = await behest.opened({});
  await look(free);
  const [plain] = (await behest.records.list()).slice(-1);
  expect((await findings(plain!.index)).map(({ check }) => check)).not.toContain("budget");
});

test("counters of different principals and tenants never meet, though their tokens have one jti", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const one = { jti: "same", limits: { calls: 1 } };
  for (const more of [{}, { principal: "bob" }, { tenant: "acme" }, { tenant: "acme", principal: "bob" }]) {
    const session = await behest.opened({ ...one, ...more });
    expect(await look(session)).toMatchObject(done);
    await expect(look(session)).rejects.toMatchObject(spent);
  }
  // Another token is another counter, whatever jti it was given.
  await expect(look(await behest.opened({ ...one, task: "again" }))).resolves.toMatchObject({
    outcome: "done",
  });
});

test("nobody spends from the counter of another token by taking its jti", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const { holder } = behest;
  const derive = (parent: Parameters<typeof deriveDelegation>[0], jti: string, calls: number) =>
    deriveDelegation(parent, { holder: holder.jwk, tools, jti, limits: { calls } }, holder);
  const root = await behest.issue({ jti: "root", limits: { calls: 10 } });
  const victim = await behest.open(await derive(root, "victim", 1));
  const rogue = await derive(root, "rogue", 5);
  const thief = await behest.open(await derive(rogue, "victim", 3));
  expect([await look(thief), await look(thief)]).toMatchObject([done, done]);
  expect(await look(victim)).toMatchObject(done);
  await expect(look(victim)).rejects.toMatchObject(spent);
});

test("a clock that is set back gives nothing back", async () => {
  let now = Date.now();
  await using behest = await restrictedBehest(tools, { profiles, clock: () => now });
  const token = await behest.issue({ limits: { calls: 1 } });
  const session = await behest.open(token);
  const start = now;
  now += 1_800_000;
  expect(await look(session)).toMatchObject(done);
  now = start;
  await expect(look(await behest.open(token))).rejects.toMatchObject(spent);
  now += 3_700_000;
  await expect(look(session)).rejects.toMatchObject({ code: "delegation_expired" });
  now = start;
  await expect(look(await behest.open(token))).rejects.toMatchObject({ code: "delegation_expired" });
});

test("advice takes nothing", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ limits: { calls: 1 } });
  for (let i = 0; i < 5; i++)
    expect(await session.authorize({ tool: "look", args: {} })).toMatchObject({ verdict: "permit" });
  expect(await look(session)).toMatchObject(done);
});
