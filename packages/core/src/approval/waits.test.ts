import { issueDelegation } from "@behest/delegation";
import { expect, test } from "vitest";
import { callTool, spawn, waitingFor } from "../adapter.ts";
import { signDecision } from "./approval.ts";
import type { BehestError } from "../error.ts";
import { testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

async function deployment() {
  const behest = await testBehest();
  const { iss, signer } = behest.issuer;
  const tools = { pay: {}, look: {} };
  const delegation = await issueDelegation(
    {
      issuer: iss,
      holder: behest.holder.jwk,
      principal: "alice",
      task: "t",
      tools,
      expiresIn: "1h",
      maxDepth: 3,
      approvals: { pay: { finance: 1 } },
    },
    signer,
  );
  const open = () => behest.open(delegation, { run: "chat-1" });
  const approve = async () => {
    for (const approval of await behest.approvals.list())
      await behest.approvals.submit(
        approval.id,
        await signDecision(approval, { decision: "approve" }, behest.approver("finance")),
      );
  };
  return { behest, tools, open, approve };
}

const pay = (session: Session, call: object, ran: unknown[]) =>
  callTool(session, { tool: "pay", callId: "1", turn: "t", args: {}, ...call }, async (args) => {
    ran.push(args);
    return "paid";
  });

const waiting = async (call: Promise<unknown>) => {
  const error = (await call.then(
    () => undefined,
    (e: unknown) => e,
  )) as BehestError;
  expect(error).toMatchObject({ name: "BehestDenied", code: "approval_needed", waiting: { tool: "pay" } });
  return error;
};

test("what waits keeps the arguments that it was first parsed to, as long as the same is given", async () => {
  const { behest, open, approve } = await deployment();
  const ran: unknown[] = [];
  const given = { to: "bob" };
  const parsed = (nonce: number, raw: object = given) => ({ given: raw, args: { to: "bob", nonce } });
  const { waiting: first } = await waiting(pay(await open(), parsed(1), ran));
  const session = await open();
  expect((await waiting(pay(session, parsed(2), ran))).waiting).toEqual(first);
  expect(await waitingFor(session, first!.approval)).toMatchObject({ args: { nonce: 1 }, tool: "pay" });
  expect((await behest.approvals.list())[0]).not.toHaveProperty("given");
  await approve();
  // Something else under the same id is not what was approved.
  await expect(pay(session, parsed(3, { to: "eve" }), ran)).rejects.toMatchObject({
    code: "action_conflict",
  });
  await expect(pay(session, { args: { to: "bob", nonce: 3 } }, ran)).rejects.toMatchObject({
    code: "action_conflict",
  });
  await expect(pay(session, parsed(4), ran)).resolves.toBe("paid");
  await expect(pay(await open(), parsed(5), ran)).resolves.toBe("paid");
  expect(ran).toEqual([{ to: "bob", nonce: 1 }]);
  await behest.close();
});

test("another principal is not shown what waits", async () => {
  const { behest, open } = await deployment();
  const { waiting: asked } = await waiting(pay(await open(), {}, []));
  const bob = await behest.as("bob", { pay: {} });
  expect(await waitingFor(bob, asked!.approval)).toBeUndefined();
  await behest.close();
});

test("where the call could not be made again an ask is a denial, and nobody is asked", async () => {
  const { behest, open, approve } = await deployment();
  const ran: unknown[] = [];
  const session = await open();
  const denied = await pay(session, { waits: false }, ran).catch((e: unknown) => e);
  expect(denied).toMatchObject({ name: "BehestDenied", code: "approval_needed", waiting: undefined });
  expect(await behest.approvals.list()).toEqual([]);
  await waiting(pay(session, {}, ran));
  await expect(pay(session, { waits: false }, ran)).rejects.toMatchObject({ waiting: undefined });
  await approve();
  await expect(pay(session, { waits: false }, ran)).resolves.toBe("paid");
  expect(ran).toHaveLength(1);
  await behest.close();
});

test("nor can a call wait inside of another's body, or below a sub-agent that was started there", async () => {
  const { behest, open, tools } = await deployment();
  const ran: unknown[] = [];
  const session = await open();
  const found = await session.run(() =>
    callTool(session, { tool: "look", callId: "0", turn: "t", args: {} }, async () => [
      await pay(session, {}, ran).catch((e: unknown) => e),
      await spawn(session, { tool: "sub", callId: "2", turn: "t", args: {} }, { tools }, async (child) =>
        pay(child, {}, ran).catch((e: BehestError) => `denied, ${e.waiting}`),
      ),
    ]),
  );
  expect(found).toEqual([
    expect.objectContaining({ code: "approval_needed", waiting: undefined }),
    "denied, undefined",
  ]);
  expect(await behest.approvals.list()).toEqual([]);
  await behest.close();
});

test("a sub-agent has not ended while one of its actions waits, whatever it answers, throws or spawns", async () => {
  const { behest, open, approve, tools } = await deployment();
  const ran: unknown[] = [];
  const nested = async (session: Session, end: (error: unknown) => string) =>
    spawn(session, { tool: "sub", callId: "1", turn: "t", args: {} }, { tools }, (child) =>
      spawn(child, { tool: "sub", callId: "1", turn: "t", args: {} }, { tools }, (grandchild) =>
        pay(grandchild, {}, ran).catch(end),
      ).catch(end),
    );
  await waiting(nested(await open(), () => "sorry"));
  await waiting(
    nested(await open(), (error) => {
      throw error;
    }),
  );
  const cause = new Error("stopped");
  const error = await waiting(
    nested(await open(), () => {
      throw cause;
    }),
  );
  expect(error.cause).toBe(cause);
  expect(await behest.approvals.list()).toHaveLength(1);
  await approve();
  const session = await open();
  await expect(nested(session, () => "sorry")).resolves.toBe("paid");
  await expect(nested(session, () => "sorry")).resolves.toBe("paid");
  expect(ran).toHaveLength(1);
  await behest.close();
});
