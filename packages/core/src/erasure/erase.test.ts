import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateHolder, issueDelegation } from "@behest/delegation";
import { parseEntry, signCut, verifyLog } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTurn } from "../adapter.ts";
import { signDecision } from "../approval/approval.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import { readStore } from "../record/reader.ts";
import { memoryStore } from "../store/memory.ts";
import { sqliteStore } from "../store/sqlite/store.ts";
import type { Store } from "../store/types.ts";
import type { Session } from "../types.ts";

const TOOLS = { pay: { "*": { constraint_type: "wildcard" } } } as const;
const SECRET = "4711 euros to Hans";

let folder: string;
let store: Store;
let behest: TestBehest;
let alice: Session;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-erase-"));
  store = sqliteStore(join(folder, "log.db"));
  behest = await testBehest({ store, content: "keep" });
  alice = await behest.as("alice", TOOLS, { run: "run-1", agent: "payer" });
});

afterEach(async () => {
  await behest.close();
  rmSync(folder, { recursive: true });
});

const asked = { principal: "alice", reason: "asked by letter", despiteRetention: true };
const pay = (session: Session, callId?: string) =>
  session.perform(
    { tool: "pay", args: { text: SECRET }, ...(callId && { callId }) },
    async () => `done: ${SECRET}`,
  );

async function report() {
  const reader = readStore(store);
  const entries: string[] = [];
  for await (const jws of reader.entries()) entries.push(jws);
  return verifyLog({ entries, checkpoint: await reader.checkpoint(), owner: behest.owner });
}

/** Every byte of every file of the store, as text, and what its entries say. */
async function everything(): Promise<string> {
  const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
  for await (const jws of readStore(store).entries()) texts.push(parseEntry(jws).payload);
  return texts.join("\n");
}

test("what was erased is gone, every proof still verifies, and the log says so", async () => {
  await pay(alice);
  await behest.as("bob", TOOLS).then((bob) => pay(bob));
  const done = await behest.erase(asked);
  expect(done).toMatchObject({ early: true, remains: [], principals: [{ issuer: behest.issuer.iss }] });
  const { ok, erased, counts, findings } = await report();
  expect({ ok, erased, erasures: counts.erasure }).toEqual({
    ok: true,
    erased: done.principals.map(({ pseudonym }) => pseudonym),
    erasures: 1,
  });
  expect(findings.map(({ state, code }) => `${state} ${code}`)).toEqual([
    "erased content_erased",
    "not_shown token_not_shown",
  ]);
  const records = await behest.records.list();
  expect(records.map(({ principal, agent, outcome }) => [principal, agent, outcome])).toEqual([
    ["(erased)", "(erased)", "done"],
    ["bob", "agent", "done"],
  ]);
  const [theirs, others] = [
    await behest.records.get(records[0]!.index),
    await behest.records.get(records[1]!.index),
  ];
  expect(theirs?.content).toEqual({});
  expect(theirs?.entries.outcome?.outcome).toBe("done");
  expect(others?.content["args"]).toEqual({ text: SECRET });
  expect(await everything()).not.toMatch(/alice|payer|4711 euros/);
  await expect(behest.erase(asked)).rejects.toMatchObject({ code: "principal_unknown" });
});

test("a session that goes on is ended, and what it does is neither done nor written", async () => {
  await pay(alice);
  let ran = 0;
  await behest.erase(asked);
  expect(alice.signal.reason).toMatchObject({ code: "principal_erased" });
  const after = alice.perform({ tool: "pay", args: {} }, async () => ran++);
  await expect(after).rejects.toMatchObject({ code: "principal_erased" });
  await expect(alice.delegate({ tools: TOOLS })).rejects.toMatchObject({ code: "principal_erased" });
  const turn = openTurn(alice, { messages: [], json: () => null });
  await expect(turn).rejects.toMatchObject({ code: "principal_erased" });
  await behest.records.list();
  expect(ran).toBe(0);
  expect(await report()).toMatchObject({ ok: true, counts: { action: 1, erasure: 1 } });
});

test("a body that runs is told, and its outcome is recorded without what it returns", async () => {
  const running = Promise.withResolvers<void>();
  const paying = alice.perform({ tool: "pay", args: { text: SECRET } }, async (_, { signal }) => {
    running.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return SECRET;
  });
  await running.promise;
  await behest.erase(asked);
  expect(await paying.catch((error: unknown) => error)).toBeDefined();
  expect(await report()).toMatchObject({ ok: true, counts: { action: 1, outcome: 1 } });
  expect(await everything()).not.toMatch(/alice|4711 euros/);
});

test("who comes back needs another delegation, and is another principal", async () => {
  const holder = await generateHolder();
  const claims = {
    issuer: behest.issuer.iss,
    holder: holder.jwk,
    principal: "dora@example.com",
    task: "t",
    tools: TOOLS,
    expiresIn: "1h",
  } as const;
  const first = await issueDelegation(claims, behest.issuer.signer);
  await behest.open(first, { holder }).then((dora) => pay(dora));
  const {
    principals: [before],
  } = await behest.erase({ ...asked, principal: "dora@example.com" });
  await expect(behest.open(first, { holder })).rejects.toMatchObject({ code: "principal_erased" });
  // Trying has not named anybody anew.
  expect(await everything()).not.toContain("dora@");
  const again = await issueDelegation(claims, behest.issuer.signer);
  await behest.open(again, { holder }).then((dora) => pay(dora));
  const {
    principals: [after],
  } = await behest.erase({ ...asked, principal: "dora@example.com" });
  expect(after!.pseudonym).not.toBe(before!.pseudonym);
  expect(await report()).toMatchObject({ ok: true, counts: { erasure: 2 } });
});

test("what was asked of persons and signed ahead is gone with it", async () => {
  const strict = await testBehest({ policy: "default" });
  const session = await strict.as("eve", TOOLS);
  await expect(pay(session)).rejects.toMatchObject({ code: "approval_needed" });
  const [waiting] = await strict.approvals.list();
  expect(waiting).toMatchObject({ principal: "eve" });
  await strict.erase({ ...asked, principal: "eve" });
  expect(await strict.approvals.list()).toEqual([]);
  const decision = await signDecision(waiting!, { decision: "approve" }, strict.approver("approvers"));
  await expect(strict.approvals.submit(waiting!.id, decision)).rejects.toMatchObject({
    code: "approval_missing",
  });
  await strict.close();
});

test("what is kept by law is not erased, unless it is said, and recorded, that it is", async () => {
  await pay(alice);
  const { despiteRetention: _, ...patient } = asked;
  await expect(behest.erase(patient)).rejects.toMatchObject({ code: "retained" });
  expect(await report()).toMatchObject({ ok: true, erased: [], counts: { erasure: 0 } });
  expect(await behest.erase(asked)).toMatchObject({ early: true });
  expect(await report()).toMatchObject({ ok: true, counts: { erasure: 1 } });
});

test("a conversation in which no tool was called is kept as long as everything else", async () => {
  let days = 187;
  const clock = (): number => Date.now() - days * 86_400_000;
  const other = await testBehest({ store: sqliteStore(join(folder, "other.db")), clock });
  const holder = other.holder.jwk;
  const now = Math.floor(clock() / 1000);
  const claims = { issuer: other.issuer.iss, holder, principal: "alice", task: "t", tools: TOOLS } as const;
  const chats = await issueDelegation({ ...claims, expiresIn: "89d", now }, other.issuer.signer);
  const session = await other.open(chats, { run: "chat" });
  days = 107;
  const turn = await openTurn(session, { messages: ["hello"], json: () => null });
  await turn.record({ model: "m", provider: "p", tools: [], response: "hello", calls: [] });
  await other.records.list();
  days = 0;
  const { despiteRetention: _, ...patient } = asked;
  await expect(other.erase(patient)).rejects.toMatchObject({ code: "retained" });
  await other.close();
});

test("a hold outlasts every wish to erase, until it is released", async () => {
  await pay(alice);
  const mine = await behest.holds.place({ principal: "alice", reason: "case 12/26" });
  const all = await behest.holds.place({ reason: "case 13/26" });
  expect(mine).toMatchObject({ principals: [{ subject: "alice" }], reason: { text: "case 12/26" } });
  expect(await behest.holds.list()).toEqual([mine, all].map(({ reason: _, ...hold }) => hold));
  for (const { index } of [mine, all]) {
    await expect(behest.erase(asked)).rejects.toMatchObject({ code: "on_hold" });
    await behest.holds.release(index, { reason: "closed" });
    await expect(behest.holds.release(index, { reason: "closed" })).rejects.toMatchObject({
      code: "hold_missing",
    });
  }
  await expect(behest.holds.release(0, { reason: "r" })).rejects.toMatchObject({ code: "hold_missing" });
  await expect(behest.holds.place({ principal: "nobody", reason: "r" })).rejects.toMatchObject({
    code: "principal_unknown",
  });
  await behest.erase(asked);
  expect(await report()).toMatchObject({ ok: true, counts: { erasure: 5 } });
});

test("a revocation in force names its principal: it is said, and it stays in force", async () => {
  await pay(alice);
  await behest.revoke(await signCut({ principal: "alice" }, { reason: "left" }, behest.revoker));
  await expect(behest.erase(asked)).rejects.toMatchObject({ code: "cut_in_force" });
  await expect(behest.erase({ ...asked, issuer: "https://other.test" })).rejects.toMatchObject({
    code: "principal_unknown",
  });
  const { remains } = await behest.erase({ ...asked, keepCuts: true });
  expect(remains).toMatchObject([{ what: "cut", until: expect.any(Number) as number }]);
  await expect(behest.as("alice", TOOLS)).rejects.toMatchObject({ code: "revoked" });
  expect(await report()).toMatchObject({ ok: true });
});

test("what was observed of somebody is erased by the name it was observed under, and observing goes on", async () => {
  const shadow = await testBehest({ enforce: "shadow", store: memoryStore() });
  const observed = shadow.observe({ principal: "zoe" });
  await observed.perform({ tool: "x", args: {} }, async () => 1);
  await shadow.erase({ ...asked, principal: "zoe" });
  await expect(observed.perform({ tool: "x", args: {} }, async () => 1)).rejects.toMatchObject({
    code: "principal_erased",
  });
  await shadow.observe({ principal: "zoe" }).perform({ tool: "x", args: {} }, async () => 1);
  expect((await shadow.records.list()).map(({ principal }) => principal)).toEqual(["(erased)", "zoe"]);
  await shadow.close();
});
