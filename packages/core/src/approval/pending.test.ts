import { generateHolder, issueDelegation } from "@behest/delegation";
import { expect, test } from "vitest";
import { callTool, comeOf, mayAsk, pending, spawn, waitingIn } from "../adapter.ts";
import { signDecision } from "./approval.ts";
import { testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const tools = { pay: {}, look: {} };

async function deployment() {
  const behest = await testBehest({ holder: await generateHolder(), policy: "grants-alone" });
  const { iss, signer } = behest.issuer;
  const claims = { issuer: iss, holder: behest.holder.jwk, principal: "alice", task: "t", tools } as const;
  const root = await issueDelegation(
    { ...claims, expiresIn: "1h", approvals: { pay: { finance: 1 } } },
    signer,
  );
  const decide = async (decision: "approve" | "deny"): Promise<void> => {
    for (const one of await behest.approvals.list()) {
      const signed = await signDecision(one, { decision }, behest.approver("finance"));
      await behest.approvals.submit(one.id, signed);
    }
  };
  return { behest, root, decide, session: await behest.open(root, { run: "chat-1" }) };
}

const call = { tool: "pay", args: { amount: 5 }, callId: "1", turn: "t" };
const paid = (session: Session) => callTool(session, call, async () => "paid");

test("what is asked before a framework starts a call is the ask that the call meets", async () => {
  const { behest, session, decide } = await deployment();
  expect(mayAsk(session, "pay")).toBe(true);
  expect(mayAsk(session, "look")).toBe(false);
  await expect(pending(session, { ...call, tool: "look" })).resolves.toBeUndefined();
  const error = (await pending(session, call))!;
  expect(error).toMatchObject({ name: "BehestDenied", code: "approval_needed", waiting: { tool: "pay" } });
  const id = error.waiting!.approval;
  expect(await comeOf(session, id)).toBe("waiting");
  expect(waitingIn(session)).toEqual([error.waiting]);
  await expect(paid(session)).rejects.toMatchObject({ waiting: { approval: id } });
  expect(await behest.records.list()).toHaveLength(1);
  await decide("approve");
  expect(await comeOf(session, id)).toBe("granted");
  await expect(pending(session, call)).resolves.toBeUndefined();
  expect(waitingIn(session)).toEqual([]);
  // Nothing has started by being asked about.
  expect(await behest.records.list()).toHaveLength(1);
  await expect(paid(session)).resolves.toBe("paid");
  expect(await comeOf(session, id)).toBe("spent");
  await behest.close();
});

test("a denial is told before anything starts, and recorded once however often it is asked for", async () => {
  const { behest, session, decide } = await deployment();
  const id = (await pending(session, call))!.waiting!.approval;
  await decide("deny");
  for (let i = 0; i < 3; i++)
    await expect(pending(session, call)).resolves.toMatchObject({ code: "approval_denied" });
  await expect(paid(session)).rejects.toMatchObject({ code: "approval_denied" });
  expect(await comeOf(session, id)).toBe("denied");
  expect(await comeOf(session, "another")).toBeUndefined();
  const records = await behest.records.list();
  expect(records.map(({ verdict }) => verdict)).toEqual(["ask", "deny"]);
  await behest.close();
});

test("another principal's ask is not told of", async () => {
  const { behest, session } = await deployment();
  const id = (await pending(session, call))!.waiting!.approval;
  const bob = await behest.as("bob", tools);
  expect(await comeOf(bob, id)).toBeUndefined();
  await behest.close();
});

test("where nothing can wait it is denied, and nobody is asked", async () => {
  const { behest, session, root } = await deployment();
  const denied = {
    code: "approval_needed",
    message: expect.stringContaining("It cannot wait here") as string,
  };
  const hurried = { ...call, waits: false };
  await expect(pending(session, hurried)).resolves.toBeUndefined();
  const started = callTool(session, hurried, async () => "paid");
  await expect(started).rejects.toMatchObject(denied);
  await expect(started).rejects.toMatchObject({ waiting: undefined });
  const child = (of: Session) =>
    spawn(of, { tool: "child", args: {}, callId: "c" }, { tools: { pay: {} } }, async (inner) => paid(inner));
  // A run without an id cannot be taken up again.
  await expect(child(await behest.open(root))).rejects.toMatchObject(denied);
  expect(await behest.approvals.list()).toEqual([]);
  await expect(child(session)).rejects.toMatchObject({ waiting: { tool: "pay" } });
  // What waits in a sub-agent is met above it.
  expect(waitingIn(session)).toHaveLength(1);
  await behest.close();
});
