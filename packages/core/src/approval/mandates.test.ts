import { type MandateStatement, signMandateStatement } from "@behest/provenance";
import { describe, expect, test } from "vitest";
import { Estate, any, decideAll, pay, said, tools } from "../../test/estate.ts";
import { HOUR, approvals, mandated, no, small, yes } from "../../test/mandated.ts";
import { callTool, pending } from "../adapter.ts";
import { type Mandate, draftMandate, signMandate } from "./mandate.ts";
import type { Behest } from "../types.ts";

async function asked(behest: Behest): Promise<number> {
  return (await behest.approvals.list()).length;
}

describe.each(["memory", "sqlite"] as const)("mandates, %s store", (kind) => {
  test("what a person has signed ahead starts without asking, as often as was signed", async () => {
    const { behest, session, mandate, sign, close } = await mandated(kind);
    await sign();
    for (const call of ["1", "2", "3"]) expect(await pay(session, call)).toBe("done");
    expect(await asked(behest)).toBe(0);
    expect(await pay(session, "4")).toBe("approval_needed");
    // What was done is told, also where nothing is left.
    expect(await pay(session, "1")).toBe("done");
    expect(await asked(behest)).toBe(1);
    expect(await behest.approvals.ahead()).toMatchObject({
      mandates: [{ id: mandate.about.terms, principal: "alice", persons: 1, left: { count: 0 }, mandate }],
      overrides: [],
    });
    const [record] = await behest.records.list();
    expect((await behest.records.get(record!.index))!.entries).toMatchObject({
      action: { verdict: "permit", links: { approvals: [expect.any(String)] } },
      approvals: [{ kind: "mandate", content: { terms: mandate.about.terms } }],
    });
    await close();
  });

  test("64 siblings at once spend no more than its count and its amount", async () => {
    const change = { count: 40, amount: { EUR: "100" } };
    const { behest, session, sign, close } = await mandated(kind, change, { approvals });
    await sign();
    const siblings = await Promise.all([1, 2, 3, 4].map(() => session.delegate({ tools })));
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => pay(siblings[i % 4]!, `${i}`, 5)));
    expect(answers.filter((answer) => answer === "done")).toHaveLength(20);
    expect(answers.filter((answer) => answer === "approval_needed")).toHaveLength(44);
    expect((await behest.approvals.ahead()).mandates[0]!.left).toEqual({ count: 20, amount: { EUR: "0" } });
    await close();
  });
});

test("it covers its delegation and what is derived from it, and no sibling, tool or argument beside", async () => {
  const { estate, behest, session, sign, close } = await mandated();
  const child = await session.delegate({ tools });
  await sign();
  expect(await pay(child, "1")).toBe("done");
  expect(await pay(session, "2", 21)).toBe("approval_needed");
  expect(await pay(session, "3", 5, { to: "eve" })).toBe("approval_needed");
  expect(await pay(session, "4", 5, { note: "x" })).toBe("approval_needed");
  const sibling = await behest.open(await estate.delegate({ approvals }), { run: "s" });
  expect(await pay(sibling, "1")).toBe("approval_needed");
  const others = await behest.open(await estate.delegate({ approvals: { "*": { finance: 1 } } }));
  expect(await said(others.perform({ tool: "look", args: {} }, async () => 1))).toBe("approval_needed");
  await close();
});

test("a mandate for a sub-agent's token does not cover its parent", async () => {
  const { estate, behest, session, mandate, close } = await mandated();
  const child = await session.delegate({ tools });
  await pay(child, "0");
  const [ask] = await behest.approvals.list();
  const forChild: Mandate = { ...mandate, about: { ...mandate.about, leaf: ask!.about.leaf } };
  await behest.approvals.submitAhead(await signMandate(forChild, yes, estate.people.cfo));
  expect(await pay(child, "1")).toBe("done");
  expect(await pay(session, "1")).toBe("approval_needed");
  await close();
});

test("an amount that is not known is not covered, nor another currency", async () => {
  const { estate, behest, close } = await mandated();
  const delegation = await estate.delegate({ approvals: { "*": { finance: 1 } } });
  const session = await behest.open(delegation);
  const request = {
    delegation,
    constraints: any,
    count: 9,
    group: "finance",
    expires: estate.time.now + HOUR,
  };
  for (const mandate of [
    draftMandate({ ...request, tool: "look", amount: { EUR: "5" } }),
    draftMandate({ ...request, tool: "pay", amount: { USD: "5" } }),
  ])
    await behest.approvals.submitAhead(await signMandate(mandate, yes, estate.people.cfo));
  expect(await said(session.perform({ tool: "look", args: {} }, async () => 1))).toBe("approval_needed");
  expect(await pay(session, "1", 1)).toBe("approval_needed");
  expect(await pay(session, "2", 0)).toBe("done");
  await close();
});

test("where a group needs two persons, both sign the same mandate, and each group has its own", async () => {
  const needs = { pay: { finance: 2 }, "*": { legal: 1 } };
  const { estate, behest, delegation, session, sign, close } = await mandated(
    "memory",
    {},
    { approvals: needs },
  );
  await sign();
  expect(await pay(session, "1")).toBe("approval_needed");
  // Another mandate by the other person is not the same one.
  const terms = { tool: "pay", constraints: small, count: 3, expires: estate.time.now + HOUR };
  const again = draftMandate({ delegation, group: "finance", ...terms });
  await behest.approvals.submitAhead(await signMandate(again, yes, estate.people.clerk));
  const legal = draftMandate({ delegation, group: "legal", ...terms });
  await behest.approvals.submitAhead(await signMandate(legal, yes, estate.people.counsel));
  expect(await pay(session, "2")).toBe("approval_needed");
  await sign(estate.people.cfo);
  await sign(estate.people.clerk);
  // What waits is granted by it, too, and waits no more.
  expect(await pay(session, "1")).toBe("done");
  expect(await behest.approvals.list({ group: "finance" })).toHaveLength(1);
  const records = await behest.records.list();
  const full = await behest.records.get(records.at(-1)!.index);
  expect(full!.entries.approvals!.map(({ kind }) => kind)).toEqual(["mandate", "mandate", "mandate"]);
  await close();
});

test("one denial ends it, whoever has signed it; one by nobody in the group does not", async () => {
  const { estate, behest, session, sign, close } = await mandated();
  await expect(sign(estate.people.cfo, no)).rejects.toMatchObject({ code: "approval_missing" });
  await sign();
  expect(await pay(session, "1")).toBe("done");
  for (const by of [estate.people.counsel, estate.holder])
    await expect(sign(by, no)).rejects.toMatchObject({ code: "approval_invalid" });
  expect(await pay(session, "2")).toBe("done");
  await sign(estate.people.clerk, no);
  expect(await pay(session, "3")).toBe("approval_needed");
  // Nobody signs it again.
  await sign(estate.people.clerk);
  expect(await pay(session, "4")).toBe("approval_needed");
  expect((await behest.approvals.ahead()).mandates).toEqual([]);
  await close();
});

test("what a person has denied is not started on a mandate", async () => {
  const { estate, behest, session, sign, close } = await mandated();
  expect(await pay(session, "1")).toBe("approval_needed");
  await decideAll(behest, estate.people.clerk, "deny");
  await sign();
  expect(await pay(session, "1")).toBe("approval_denied");
  expect(await pay(session, "2", 6)).toBe("done");
  await close();
});

test("after its time it grants nothing, nor does it earlier than it was signed", async () => {
  const { estate, behest, session, mandate, sign, close } = await mandated();
  const at = Math.floor(estate.time.now / 1000);
  const statement: MandateStatement = { v: 1, decision: "approve", ...mandate.about, iat: at + 120 };
  const ahead = { mandate, jws: await signMandateStatement(statement, estate.people.cfo) };
  await expect(behest.approvals.submitAhead(ahead)).rejects.toMatchObject({ code: "approval_invalid" });
  await sign();
  estate.time.now = mandate.about.exp * 1000;
  expect(await pay(session, "1")).toBe("approval_needed");
  expect((await behest.approvals.ahead()).mandates).toEqual([]);
  await expect(sign(estate.people.clerk)).rejects.toMatchObject({ code: "approval_invalid" });
  await close();
});

test("nobody is asked before the call, either, as long as there is room", async () => {
  const { session, sign, close } = await mandated("memory", { count: 1 });
  await sign();
  const call = (callId: string) => ({ tool: "pay", args: { to: "bob", amount: 5 }, callId, turn: "t" });
  expect(await pending(session, call("1"))).toBeUndefined();
  expect(await callTool(session, call("1"), async () => "paid")).toBe("paid");
  expect(await pending(session, call("2"))).toMatchObject({ code: "approval_needed" });
  expect(await pending(session, call("1"))).toBeUndefined();
  await close();
});

test("a body that never started gives its amount back, and its call stays counted", async () => {
  const estate = await Estate.make();
  const behest = await estate.open({ credentials: async () => Promise.reject(new Error("none")) });
  const delegation = await estate.delegate({ approvals });
  const session = await behest.open(delegation);
  const terms = { tool: "pay", constraints: small, count: 3, expires: estate.time.now + HOUR };
  const mandate = draftMandate({ delegation, group: "finance", amount: { EUR: "9" }, ...terms });
  await behest.approvals.submitAhead(await signMandate(mandate, yes, estate.people.cfo));
  expect(await pay(session, "1")).toBe("failed");
  expect((await behest.approvals.ahead()).mandates[0]!.left).toEqual({ count: 2, amount: { EUR: "9" } });
  expect(await estate.objections()).toEqual([]);
  await behest.close();
});
