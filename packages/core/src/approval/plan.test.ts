import { describe, expect, test } from "vitest";
import { Estate, decideAll, pay } from "../../test/estate.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";
import { type Approval, signDecision } from "./approval.ts";

const approvals = { pay: { finance: 1 } };
const yes = { decision: "approve" } as const;

describe.each(["memory", "sqlite"] as const)("plans, %s store", (kind) => {
  test("one signature approves several actions, each of which spends it once", async () => {
    using estate = await Estate.make(kind);
    await using behest = await estate.open();
    const session = await behest.open(await estate.delegate({ approvals }), { run: "r" });
    const all = ["1", "2", "3"];
    for (const call of all) expect(await pay(session, call)).toBe("approval_needed");
    const waiting = await behest.approvals.list();
    const ids = waiting.map(({ id }) => id);
    const plan = await signDecision(waiting, { ...yes, reason: "invoices" }, estate.people.cfo);
    await behest.approvals.submit(ids.toReversed(), plan);
    expect((await estate.report()).counts.approval).toBe(1);
    // Handed in again it is the same.
    await behest.approvals.submit(ids, plan);
    expect((await estate.report()).counts.approval).toBe(1);
    for (const call of all) expect(await pay(session, call)).toBe("done");
    expect(await pay(session, "4")).toBe("approval_needed");
    expect(await behest.approvals.stats()).toMatchObject({ asked: 4, approved: 3 });
    const [, , , first] = await behest.records.list();
    expect((await behest.records.get(first!.index))!.entries.approvals).toMatchObject([
      { kind: "decision", actions: ids },
    ]);
    expect(await estate.objections()).toEqual([]);
  });
});

test("a plan is handed in whole, and used for nothing that is not in it", async () => {
  using estate = await Estate.make();
  await using behest = await estate.open();
  const session = await behest.open(await estate.delegate({ approvals }), { run: "r" });
  for (const call of ["1", "2", "3"]) await pay(session, call);
  const [a, b, c] = (await behest.approvals.list()) as [Approval, Approval, Approval];
  const plan = await signDecision([a, b], yes, estate.people.cfo);
  const invalid = { code: "approval_invalid" };
  for (const ids of [a.id, [a.id], [a.id, c.id], [c.id], [a.id, b.id, c.id], []])
    await expect(behest.approvals.submit(ids, plan)).rejects.toMatchObject(invalid);
  await expect(behest.approvals.submit([a.id, "nothing"], plan)).rejects.toMatchObject({
    code: "approval_missing",
  });
  // Edited: another action in the place of the second.
  const [head, payload, signature] = plan.jws.split(".") as [string, string, string];
  const said = JSON.parse(Buffer.from(payload, "base64url").toString()) as { about: unknown[] };
  said.about[1] = c.about;
  const edited = Buffer.from(JSON.stringify(said)).toString("base64url");
  await expect(
    behest.approvals.submit([a.id, c.id], { jws: `${head}.${edited}.${signature}` }),
  ).rejects.toMatchObject(invalid);
  await behest.approvals.submit([a.id, b.id], plan);
  expect(await pay(session, "3")).toBe("approval_needed");
  expect(await pay(session, "1")).toBe("done");
  expect(await estate.objections()).toEqual([]);
});

test("what is no plan is not signed", async () => {
  using estate = await Estate.make();
  await using behest = await estate.open();
  const session = await behest.open(await estate.delegate({ approvals: { pay: { finance: 1, legal: 1 } } }));
  await pay(session, "1");
  await pay(session, "2");
  const [a, b, c] = (await behest.approvals.list()) as [Approval, Approval, Approval];
  const many = Array.from({ length: 65 }, (_, i) => ({ ...a, id: `${i}` }));
  for (const plan of [[], [a, a], [a, b], many, [a, { ...c, args: { amount: 6 } }]])
    await expect(signDecision(plan, yes, estate.people.cfo)).rejects.toMatchObject({
      code: "approval_invalid",
    });
});

test("a part of a plan that is denied or over does not stop the others", async () => {
  using estate = await Estate.make();
  await using behest = await estate.open();
  const { cfo, clerk } = estate.people;
  const session = await behest.open(await estate.delegate({ approvals }), { run: "r" });
  await pay(session, "1");
  estate.time.now += 60_000;
  await pay(session, "2");
  await pay(session, "3");
  const waiting = await behest.approvals.list();
  const plan = await signDecision(waiting, yes, cfo);
  await behest.approvals.submit(
    waiting.map(({ id }) => id),
    plan,
  );
  const no = await signDecision(waiting[1]!, { decision: "deny" }, clerk);
  await behest.approvals.submit(waiting[1]!.id, no);
  expect(await pay(session, "2")).toBe("approval_denied");
  expect(await pay(session, "3")).toBe("done");
  // It holds as long as the first of them waits, and no longer.
  estate.time.now += 24 * 3_600_000 - 60_000;
  expect(await pay(session, "1")).toBe("approval_denied");
  expect(await estate.objections()).toEqual([]);
});

test("what was asked under some policies does not start under others", async () => {
  using estate = await Estate.make("sqlite");
  const ask = `permit(principal, action, resource);
    @ask("group:finance") @reason("it pays.") forbid(principal, action, resource) when { context.tool == "pay" };`;
  using a = new PolicyFolder({ "a.cedar": ask });
  using b = new PolicyFolder({
    "a.cedar": `${ask}\n// another set`,
    "b.cedar": "permit(principal, action, resource);",
  });
  const delegation = await estate.delegate();
  const opened = async (policy: string) => {
    const behest = await estate.open({ policy });
    return { behest, session: await behest.open(delegation, { run: "r" }) };
  };
  const first = await opened(a.path);
  expect(await pay(first.session, "1")).toBe("approval_needed");
  expect(await pay(first.session, "2")).toBe("approval_needed");
  const [asked] = await decideAll(first.behest, estate.people.cfo);
  expect(asked!.about.policy).toHaveLength(43);
  await first.behest.close();

  const second = await opened(b.path);
  const stopped = second.session.perform(
    { tool: "pay", args: { to: "bob", amount: 5 }, callId: "1" },
    async () => "paid",
  );
  await expect(stopped).rejects.toMatchObject({
    code: "approval_denied",
    message: expect.stringContaining("under other policies. Make the call anew.") as string,
  });
  expect(await pay(second.session, "3")).toBe("approval_needed");
  await second.behest.close();

  const third = await opened(a.path);
  expect(await pay(third.session, "2")).toBe("done");
  expect(await estate.objections()).toEqual([]);
  await third.behest.close();
});
