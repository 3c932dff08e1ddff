import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AatTools, generateHolder, grants, issueDelegation } from "@behest/delegation";
import { type Signer, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type LogReport, signTrust, verifyLog } from "@behest/provenance";
import { beforeEach, expect, test, vi } from "vitest";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { type TurnHandle, callTool, isGranted, openTurn, spawn } from "../adapter.ts";
import { createFrom } from "../behest.ts";
import { liveOf } from "./session.ts";
import { memoryStore } from "../store/memory.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import { type Store, engine } from "../store/types.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
beforeEach(() => void warned.mockClear());

const shadow = { enforce: "shadow" } as const;
const never = async (): Promise<never> => expect.unreachable("a tool body ran");

/** What a verifier says who has the owner's thumbprint alone. */
async function verified(behest: TestBehest, store: Store): Promise<LogReport> {
  await behest.records.list();
  const entries = await store[engine].entries(0, 1000);
  return verifyLog({ entries, checkpoint: await store[engine].checkpoint(), owner: behest.owner });
}

/** The same model turn each time: it chooses one call. */
async function turn(session: Session): Promise<TurnHandle> {
  const asked = await openTurn(session, { messages: ["q"], json: () => null });
  const calls = [{ callId: "1", tool: "pay" }];
  if (asked.replay === undefined)
    await asked.record({ model: "m", provider: "p", tools: [], response: "answer", calls });
  return asked;
}

test.each([
  ["unless it is said", {}],
  ["where something is enforced", { enforce: "enforce" } as const],
])("%s nothing is observed", async (_, config) => {
  await using behest = await testBehest(config);
  expect(() => behest.observe()).toThrow(expect.objectContaining({ code: "shadow_only" }) as Error);
});

test("without a delegation nothing is stopped, and what would have been is recorded, marked twice", async () => {
  using folder = new PolicyFolder({
    "a.cedar":
      'permit(principal, action, resource);\n@id("dear") @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };',
  });
  const store = memoryStore();
  const profiles = { read: { effect: "read", boundary: "inside" } } as const;
  await using behest = await testBehest({ ...shadow, policy: folder.path, profiles, store });
  const session = behest.observe({ agent: "clerk" });
  const other = behest.observe({ principal: "alice" });
  expect(isGranted(session, "pay")).toBe(true);
  for (const tool of ["read", "pay"])
    expect(await session.perform({ tool, args: { a: 1 } }, async () => 1)).toMatchObject({ outcome: "done" });
  await other.perform({ tool: "read", args: {} }, async () => 1);
  const records = await behest.records.list();
  expect(records).toMatchObject([
    { principal: "observed", agent: "clerk", tool: "read", verdict: "permit", code: "ok", observed: true },
    { principal: "observed", agent: "clerk", tool: "pay", verdict: "permit", code: "approval_needed" },
    { principal: "alice", agent: "agent", tool: "read", observed: true },
  ]);
  const { entries } = (await behest.records.get(records[1]!.index))!;
  expect(entries.delegations).toEqual([]);
  expect(entries.action).toMatchObject({ enforce: "shadow", observed: true, links: {} });
  expect(entries.action).not.toHaveProperty("decision");
  expect(entries.action.findings).toMatchObject([
    { check: "lineage", code: "ok", rule: "observed" },
    { check: "grant", code: "ok", rule: "observed" },
    { check: "profile", code: "ok", rule: "named" },
    { check: "policy", code: "approval_needed", rule: "a.cedar#dear" },
  ]);
  expect(await verified(behest, store)).toMatchObject({ ok: true, observed: 3, counts: { action: 3 } });
  // Of shadow at start, and of this once, whatever number of sessions.
  expect(warned.mock.calls.map(([, options]) => (options as { code: string }).code)).toEqual([
    "BEHEST_SHADOW",
    "BEHEST_OBSERVE",
  ]);
});

test("what is delegated beside it is decided by its holder, and is not counted with it", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ ...shadow, store });
  const alice = await behest.as("alice", grants({ read: {} }, { read: true }));
  await alice.perform({ tool: "read", args: {} }, async () => 1);
  await behest.observe({ principal: "alice" }).perform({ tool: "read", args: {} }, async () => 1);
  const [delegated, observed] = await behest.records.list({ principal: "alice" });
  expect(delegated).not.toHaveProperty("observed");
  expect(observed).toMatchObject({ observed: true });
  expect(await verified(behest, store)).toMatchObject({ ok: true, observed: 1, counts: { principals: 1 } });
});

test("its sub-agents are observed, too, whatever is asked for them", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ ...shadow, store });
  const session = behest.observe({ run: "chat" });
  const request = { agent: "reader", tools: {}, workspace: "../x", expiresIn: "99d", approvals: {} } as never;
  const child = await session.delegate(request);
  const grandchild = await child.delegate({ tools: {} });
  for (const one of [child, grandchild])
    expect(await one.perform({ tool: "pay", args: {} }, async () => 1)).toMatchObject({ outcome: "done" });
  const call = { tool: "explore", args: {}, callId: "s" };
  const seen: string[] = [];
  const explored = async (): Promise<string> =>
    spawn(session, call, request, async (below) => {
      seen.push(below.id);
      await below.perform({ tool: "read", args: {} }, async () => 1);
      return "explored";
    });
  expect([await explored(), await explored()]).toEqual(["explored", "explored"]);
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatch(new RegExp(`^${session.id}\\.`));
  const records = await behest.records.list({ session });
  expect(records.map(({ agent, tool, observed }) => [agent, tool, observed])).toEqual([
    ["reader", "pay", true],
    ["agent", "pay", true],
    ["reader", "read", true],
  ]);
  expect(await verified(behest, store)).toMatchObject({ ok: true, observed: 3 });
});

test("a run goes on within its process: no turn is asked, and nothing is done, twice", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ ...shadow, store });
  const open = (): Session => behest.observe({ principal: "alice", run: "chat" });
  const first = open();
  const { id, replay } = await turn(first);
  expect(replay).toBeUndefined();
  const call = { tool: "pay", args: {}, callId: "1", turn: id };
  expect(await callTool(first, call, async () => 7)).toBe(7);
  const second = open();
  expect(await turn(second)).toMatchObject({ id, replay: "answer" });
  expect(await callTool(second, call, never)).toBe(7);
  expect(await verified(behest, store)).toMatchObject({ ok: true, observed: 1, counts: { interaction: 1 } });
});

test("no limits hold where there is no token to carry them, and what is spent is not asked", async () => {
  const amount = (): never => {
    throw new Error("unreadable");
  };
  const profiles = { pay: { effect: "irreversible", boundary: "outside", amount } } as const;
  await using behest = await testBehest({ ...shadow, profiles });
  const session = behest.observe();
  expect(liveOf(session)!.accounts).toEqual([]);
  for (let i = 0; i < 60; i++)
    expect(await session.perform({ tool: "pay", args: {} }, async () => 1)).toMatchObject({
      outcome: "done",
    });
  expect(await session.authorize({ tool: "drop", args: {} })).toMatchObject({ verdict: "permit" });
});

test("a session that is over is over, and nobody of no name is observed", async () => {
  const stop = new AbortController();
  const behest = await testBehest(shadow);
  const session = behest.observe({ signal: stop.signal });
  stop.abort();
  await expect(session.perform({ tool: "read", args: {} }, never)).rejects.toMatchObject({
    code: "session_ended",
  });
  await expect(session.delegate({ tools: {} })).rejects.toMatchObject({ code: "session_ended" });
  for (const principal of ["", "\ud800", 7])
    expect(() => behest.observe({ principal: principal as string })).toThrow(/config_invalid/);
  await behest.close();
  expect(() => behest.observe()).toThrow(expect.objectContaining({ code: "session_ended" }) as Error);
});

test("where its principal cannot be stored no model is asked and no body starts; who comes next tries again", async () => {
  const store = memoryStore();
  let broken = true;
  const real = store[engine];
  const failing = new Proxy(real, {
    get: (target, name) => {
      // Late: what is begun meanwhile must not run either.
      const late = async (): Promise<void> => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw new Error("disk full");
      };
      if (name === "register" && broken) return late;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  await using behest = await testBehest({
    ...shadow,
    store: { [engine]: failing, close: () => store.close() },
  });
  const session = behest.observe();
  const child = session.delegate({ tools: {} });
  await expect(session.perform({ tool: "pay", args: {} }, never)).rejects.toThrow("disk full");
  await expect((await child).perform({ tool: "pay", args: {} }, never)).rejects.toThrow("disk full");
  await expect(turn(session)).rejects.toThrow("disk full");
  expect(await behest.records.list()).toEqual([]);
  broken = false;
  await behest.observe().perform({ tool: "pay", args: {} }, async () => 1);
  expect(await behest.records.list()).toMatchObject([{ principal: "observed", outcome: "done" }]);
});

/** Two processes' worth of one deployment on one file, and what its issuer signs for alice. */
async function deployment(path: string) {
  const made = await Promise.all([1, 2, 3].map(async () => signerOf(await generatePrivateJwk())));
  const [owner, issuer, enforcer] = made as [Signer, Signer, Signer];
  const holder = await generateHolder();
  const iss = "https://issuer.test";
  const manifest = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "behest.test/log",
      issuers: [{ iss, jwk: issuer.jwk }],
      enforcers: [{ jwk: enforcer.jwk }],
      approvers: [],
      revokers: [],
      witnesses: [],
    },
    owner,
  );
  const trust = { owner: thumbprint(owner.jwk), manifest };
  const claims = { issuer: iss, holder: holder.jwk, principal: "alice", task: "t", expiresIn: "1h" } as const;
  return {
    start: (enforce: "enforce" | "shadow") =>
      createFrom({
        trust,
        signer: enforcer,
        holder,
        store: sqliteStore(path),
        enforce,
        policy: "grants-alone",
      }),
    issue: (tools: AatTools) => issueDelegation({ ...claims, tools }, issuer),
  };
}

test("what was observed does not go on where something is enforced, for a principal of the same name", async () => {
  const folder = mkdtempSync(join(tmpdir(), "behest-"));
  try {
    const { start, issue } = await deployment(join(folder, "log.db"));
    const run = "chat";
    const first = await start("shadow");
    const observed = first.observe({ principal: "alice", run });
    const { id } = await turn(observed);
    const call = { tool: "pay", args: {}, callId: "1", turn: id };
    expect(await callTool(observed, call, async () => "observed")).toBe("observed");
    await first.close();

    const second = await start("enforce");
    expect(() => second.observe({ principal: "alice", run })).toThrow(/shadow_only/);
    const narrow = await second.open(await issue({ read: {} }), { run });
    expect((await turn(narrow)).replay).toBeUndefined();
    await expect(callTool(narrow, call, never)).rejects.toMatchObject({ code: "tool_not_granted" });
    const wide = await second.open(await issue({ pay: {} }), { run });
    expect(await callTool(wide, call, async () => "done anew")).toBe("done anew");
    const records = await second.records.list({ principal: "alice" });
    expect(records.map((record) => [record.observed, record.verdict])).toEqual([
      [true, "permit"],
      [undefined, "deny"],
      [undefined, "permit"],
    ]);
    await second.close();

    const third = await start("shadow");
    const again = third.observe({ principal: "alice", run });
    expect((await turn(again)).replay).toBeUndefined();
    await third.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
