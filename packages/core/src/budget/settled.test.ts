import { expect, test } from "vitest";
import { restrictedBehest } from "../../test/restricted.ts";
import { callTool } from "../adapter.ts";
import type { Profile } from "../profile/profile.ts";
import type { Outcome, Session } from "../types.ts";

const tools = { pay: {}, look: {}, fetch: {} };
const amount = ({ value }: { value: string | number }) => ({ value, currency: "EUR" });
const profiles: { readonly [tool: string]: Profile } = {
  pay: { effect: "irreversible", boundary: "outside", amount },
  look: { effect: "read", boundary: "inside" },
  fetch: { effect: "read", boundary: "outside", amount },
};
const run = async (): Promise<string> => "ran";
const never = async (): Promise<never> => expect.unreachable("a tool body ran");
const done = { outcome: "done" };
const spent = { code: "budget_spent", name: "BehestDenied" };
const pay = (session: Session, value: string | number): Promise<Outcome<string>> =>
  session.perform({ tool: "pay", args: { value } }, run);
const look = (session: Session): Promise<Outcome<string>> => session.perform({ tool: "look", args: {} }, run);
const stopped = (): AbortSignal => AbortSignal.abort(new Error("stop"));

test("what failed may have paid, and stays spent; what never started gives its amount back but was a call", async () => {
  let broken = false;
  const credentials = async (): Promise<undefined> => {
    if (broken) throw new Error("vault");
  };
  await using behest = await restrictedBehest(tools, { profiles, credentials });
  const session = await behest.opened({ limits: { calls: 5, amount: { EUR: "3" } } });
  const failing = session.perform({ tool: "pay", args: { value: 1 } }, () =>
    Promise.reject(new Error("paid?")),
  );
  expect(await failing).toMatchObject({ outcome: "failed", code: "tool_failed" });
  broken = true;
  expect(await pay(session, 2)).toMatchObject({ outcome: "failed", code: "credential_failed" });
  broken = false;
  await expect(pay(session, "2.01")).rejects.toMatchObject(spent);
  const call = { tool: "pay", args: { value: 2 }, signal: stopped() };
  await expect(callTool(session, call, never)).rejects.toThrow("stop");
  expect(await pay(session, 2)).toMatchObject(done);
  expect(await look(session)).toMatchObject(done);
  await expect(look(session)).rejects.toMatchObject(spent);
});

test("what one attempt has paid, a later one that never starts does not give back", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ limits: { amount: { EUR: "2" } } });
  const call = { tool: "fetch", args: { value: 2 }, callId: "c" };
  await expect(callTool(session, call, () => Promise.reject(new Error("paid")))).rejects.toThrow("paid");
  await expect(callTool(session, { ...call, signal: stopped() }, never)).rejects.toThrow("stop");
  await expect(pay(session, "0.01")).rejects.toMatchObject(spent);
});

test("what never started is charged again when it does", async () => {
  await using behest = await restrictedBehest(tools, { profiles });
  const session = await behest.opened({ limits: { amount: { EUR: "2" } } });
  const call = { tool: "fetch", args: { value: 2 }, callId: "c" };
  await expect(callTool(session, { ...call, signal: stopped() }, never)).rejects.toThrow("stop");
  expect(await callTool(session, call, run)).toBe("ran");
  await expect(pay(session, "0.01")).rejects.toMatchObject(spent);
});
