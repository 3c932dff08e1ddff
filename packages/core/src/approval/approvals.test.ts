import { type RestrictionRequest, generateHolder, issueDelegation } from "@behest/delegation";
import { type LogReport, readApproval, readTrust, verifyLog } from "@behest/provenance";
import { publicKey } from "@behest/jws";
import { expect, test } from "vitest";
import { type Approval, signDecision } from "./approval.ts";
import { BehestError } from "../error.ts";
import { memoryStore } from "../store/memory.ts";
import { engine as engineOf } from "../store/types.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const tools = { pay: {}, look: {} };

async function deployment(
  restrictions: RestrictionRequest = { approvals: { pay: { finance: 1 } } },
  now = Date.now(),
) {
  const store = memoryStore();
  const time = { now };
  const behest = await testBehest({ store, clock: () => time.now });
  const { iss, signer } = behest.issuer;
  const claims = { issuer: iss, holder: behest.holder.jwk, principal: "alice", task: "t", tools } as const;
  const delegation = await issueDelegation(
    { ...claims, expiresIn: "7d", now: Math.floor(now / 1000), ...restrictions },
    signer,
  );
  return { behest, store, time, delegation, session: await behest.open(delegation, { run: "chat-1" }) };
}

/** The call "1" of a session; it says whether its body ran. */
function paying(session: Session, args: object = { amount: 5 }, callId = "1") {
  const ran: unknown[] = [];
  const call = () =>
    session.perform({ tool: "pay", args: args as never, callId }, async (given) => {
      ran.push(given);
      return "paid";
    });
  return { ran, call };
}

async function waiting(call: () => Promise<unknown>): Promise<string> {
  const error = await call().catch((e: unknown) => e);
  expect(error).toMatchObject({ code: "approval_needed" });
  return (error as BehestError).waiting!.approval;
}

async function decide(
  behest: TestBehest,
  id: string,
  decision: "approve" | "deny" = "approve",
  group = "finance",
  person = 0,
) {
  const approval = (await behest.approvals.list({ group })).find((one) => one.id === id)!;
  await behest.approvals.submit(
    id,
    await signDecision(approval, { decision }, behest.approver(group, person)),
  );
}

async function report(behest: TestBehest, store: ReturnType<typeof memoryStore>): Promise<LogReport> {
  const engine = store[engineOf];
  const entries = await engine.entries(0, 1000);
  return verifyLog({ entries, checkpoint: await engine.checkpoint(), owner: behest.owner });
}

test("an action that a person has to approve waits, and runs once when it is approved", async () => {
  const { behest, session, store } = await deployment();
  const { ran, call } = paying(session);
  const id = await waiting(call);
  expect(await waiting(call)).toBe(id);
  const [approval, ...others] = await behest.approvals.list({ group: "finance" });
  expect(others).toEqual([]);
  expect(approval).toMatchObject({
    id,
    tool: "pay",
    args: { amount: 5 },
    group: "finance",
    need: 1,
    principal: "alice",
  });
  expect(await behest.approvals.list({ run: "chat-1" })).toHaveLength(1);
  expect(await behest.approvals.list({ run: "chat-2" })).toEqual([]);
  await decide(behest, id);
  await behest.approvals.settled([{ approval: id, resumeId: "", tool: "pay" }]);
  await expect(call()).resolves.toEqual({ outcome: "done", value: "paid" });
  expect(await behest.approvals.list()).toEqual([]);
  // Made again, it is told what came of it.
  await expect(call()).resolves.toEqual({ outcome: "done", value: "paid" });
  expect(ran).toEqual([{ amount: 5 }]);
  const records = await behest.records.list({ session });
  expect(records.map(({ verdict, outcome }) => [verdict, outcome])).toEqual([
    ["ask", undefined],
    ["permit", "done"],
  ]);
  const full = (await behest.records.get(records[1]!.index))!;
  expect(full.entries.action.links.approvals).toHaveLength(1);
  expect(full.entries.approvals).toMatchObject([{ type: "approval", kind: "decision", actions: [id] }]);
  expect(await report(behest, store)).toMatchObject({ ok: true, counts: { approval: 1 } });
  await behest.close();
});

test("what is not asked for does not wait", async () => {
  const { behest, session } = await deployment();
  const look = session.perform({ tool: "look", args: {} }, async () => "seen");
  await expect(look).resolves.toMatchObject({ outcome: "done" });
  await behest.close();
});

test("a denial by anybody who was asked is final, also beside an approval", async () => {
  const { behest, session } = await deployment({ approvals: { pay: { finance: 2 } } });
  const { ran, call } = paying(session);
  const id = await waiting(call);
  await decide(behest, id, "approve", "finance", 0);
  await decide(behest, id, "deny", "finance", 1);
  await expect(call()).rejects.toMatchObject({ code: "approval_denied" });
  await expect(call()).rejects.toMatchObject({ code: "approval_denied" });
  expect(ran).toEqual([]);
  await behest.close();
});

test("a quorum counts persons of each group, not signatures", async () => {
  const { behest, session, store } = await deployment({
    approvals: { pay: { finance: 2 }, "*": { legal: 1 } },
  });
  const { ran, call } = paying(session);
  const id = await waiting(call);
  await decide(behest, id, "approve", "finance", 0);
  const [again] = await behest.approvals.list({ group: "finance" });
  await behest.approvals.submit(
    id,
    await signDecision(again!, { decision: "approve", reason: "once more" }, behest.approver("finance", 0)),
  );
  await waiting(call);
  expect(await behest.approvals.list({ group: "finance" })).toMatchObject([{ id, need: 2, approved: 1 }]);
  await decide(behest, id, "approve", "finance", 1);
  await waiting(call);
  expect(await behest.approvals.list()).toMatchObject([{ id, group: "legal", need: 1, approved: 0 }]);
  expect(await behest.approvals.list({ approved: true })).toHaveLength(2);
  await decide(behest, id, "approve", "legal", 0);
  await expect(call()).resolves.toMatchObject({ outcome: "done" });
  expect(ran).toHaveLength(1);
  expect(await report(behest, store)).toMatchObject({ ok: true, counts: { approval: 4 } });
  await behest.close();
});

test("an approver whose role begins further on in the log does not decide before", async () => {
  const { behest, session, store } = await deployment();
  const { approvers } = await readTrust(behest.firstTrust, behest.owner);
  const from = 9;
  await behest.trust(
    await behest.nextTrust({ approvers: approvers.map((approver) => ({ ...approver, from })) }),
  );
  const { ran, call } = paying(session);
  const id = await waiting(call);
  await expect(decide(behest, id)).rejects.toMatchObject({ code: "approval_invalid" });
  const size = async (): Promise<number> => (await store[engineOf].entries(0, 100)).length;
  for (let n = 0; (await size()) < from; n++)
    await session.perform({ tool: "look", args: {}, callId: `look ${n}` }, async () => n);
  await decide(behest, id);
  await expect(call()).resolves.toMatchObject({ outcome: "done" });
  expect(ran).toHaveLength(1);
  expect(await report(behest, store)).toMatchObject({ ok: true });
  await behest.close();
});

test("nobody approves in time: it is denied", async () => {
  const { behest, session, time } = await deployment();
  const { ran, call } = paying(session);
  const id = await waiting(call);
  const [approval] = await behest.approvals.list();
  const late = await signDecision(approval!, { decision: "approve" }, behest.approver("finance"));
  time.now += 24 * 3_600_000 + 1;
  await expect(behest.approvals.submit(id, late)).rejects.toMatchObject({ code: "approval_missing" });
  await expect(call()).rejects.toMatchObject({ code: "approval_denied" });
  expect(await behest.approvals.list()).toEqual([]);
  expect(ran).toEqual([]);
  await behest.close();
});

test("an approval in time, used after its time, does nothing", async () => {
  const { behest, session, time } = await deployment();
  const { ran, call } = paying(session);
  await decide(behest, await waiting(call));
  time.now += 24 * 3_600_000 + 1;
  await expect(call()).rejects.toMatchObject({ code: "approval_denied" });
  expect(ran).toEqual([]);
  await behest.close();
});

test("an approval is for these arguments, under this chain, and for this call only", async () => {
  const { behest, session, delegation } = await deployment();
  const { call } = paying(session);
  await decide(behest, await waiting(call));
  const other = paying(session, { amount: 5000 });
  await expect(other.call()).rejects.toMatchObject({ code: "action_conflict" });
  const next = paying(session, { amount: 5 }, "2");
  await waiting(next.call);
  // Another delegation of the same person in the same run.
  const { iss, signer } = behest.issuer;
  const second = await issueDelegation(
    {
      issuer: iss,
      holder: behest.holder.jwk,
      principal: "alice",
      task: "t",
      tools,
      expiresIn: "1h",
      approvals: { pay: { finance: 1 } },
    },
    signer,
  );
  const crossed = paying(await behest.open(second, { run: "chat-1" }));
  await expect(crossed.call()).rejects.toMatchObject({ code: "action_conflict" });
  const same = paying(await behest.open(delegation, { run: "chat-1" }));
  await expect(same.call()).resolves.toMatchObject({ outcome: "done" });
  expect([other.ran, next.ran, crossed.ran]).toEqual([[], [], []]);
  await behest.close();
});

test("decisions that do not hold are refused, and change nothing", async () => {
  const { behest, session } = await deployment();
  const { ran, call } = paying(session);
  const id = await waiting(call);
  const other = await waiting(paying(session, { amount: 1 }, "2").call);
  const list = await behest.approvals.list();
  const [approval, second] = [id, other].map((one) => list.find((a) => a.id === one)!) as [
    Approval,
    Approval,
  ];
  const cfo = behest.approver("finance");
  const sign = (change: Partial<Approval>, by = cfo) =>
    signDecision({ ...approval, ...change }, { decision: "approve" }, by);
  const good = await sign({});
  const [head, payload, signature] = good.jws.split(".") as [string, string, string];
  const bad = [
    await sign({}, await generateHolder()),
    await sign({}, behest.holder),
    await sign({}, behest.approver("legal")),
    await sign({ group: "legal" }, behest.approver("legal")),
    await sign({ about: { ...approval.about, nonce: second.about.nonce } }),
    await sign({ about: { ...approval.about, leaf: "A".repeat(43) } }),
    await sign({ expires: 0 }),
    await signDecision(second, { decision: "approve" }, cfo),
    // Not its end: the last byte of a signature is often zero already.
    { jws: `${head}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}` },
    { jws: "" },
    { jws: "a.b.c" },
  ];
  for (const decision of bad)
    await expect(behest.approvals.submit(id, decision)).rejects.toMatchObject({ code: "approval_invalid" });
  await expect(behest.approvals.submit("nothing", good)).rejects.toMatchObject({ code: "approval_missing" });
  await waiting(call);
  expect(ran).toEqual([]);
  await behest.close();
});

test("what is shown is what is signed: an approver's side refuses another", async () => {
  const { behest, session } = await deployment();
  await waiting(paying(session).call);
  const [approval] = await behest.approvals.list();
  const cfo = behest.approver("finance");
  for (const change of [{ args: { amount: 6 } }, { tool: "look" }, { id: "x" }, { salt: "A".repeat(43) }])
    await expect(
      signDecision({ ...approval!, ...change }, { decision: "approve" }, cfo),
    ).rejects.toMatchObject({
      code: "approval_invalid",
    });
  const { jws } = await signDecision(approval!, { decision: "deny", reason: "too much" }, cfo);
  const said = await readApproval(jws, publicKey(cfo.jwk));
  expect(JSON.stringify(said)).not.toMatch(/amount|too much/);
  await behest.close();
});

test("many calls of one approved action start it once", async () => {
  const { behest, session } = await deployment();
  const { ran, call } = paying(session);
  await decide(behest, await waiting(call));
  const results = await Promise.allSettled(Array.from({ length: 20 }, call));
  expect(ran).toHaveLength(1);
  expect(results.filter(({ status }) => status === "fulfilled")).not.toEqual([]);
  await behest.close();
});

test("a spent approval starts nothing else, whoever hands in another decision", async () => {
  const { behest, session } = await deployment();
  const { call } = paying(session);
  const id = await waiting(call);
  const [approval] = await behest.approvals.list();
  await decide(behest, id);
  await call();
  const again = await signDecision(approval!, { decision: "approve" }, behest.approver("finance", 1));
  await expect(behest.approvals.submit(id, again)).rejects.toMatchObject({ code: "approval_missing" });
  await behest.close();
});
