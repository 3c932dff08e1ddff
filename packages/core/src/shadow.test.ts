import { expect, test, vi } from "vitest";
import { PolicyFolder } from "../test/policy/folder.ts";
import { restrictedBehest } from "../test/restricted.ts";
import { isGranted } from "./adapter.ts";
import { testBehest } from "./testing.ts";
import type { Session } from "./types.ts";

const read = { read: {} };

test("under shadow what would be denied runs, and its record says what would have stopped it", async () => {
  using folder = new PolicyFolder({
    "a.cedar":
      'permit(principal, action, resource);\n@ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };',
  });
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using behest = await testBehest({ enforce: "shadow", identity: "refuse", policy: folder.path });
  expect(warned).toHaveBeenCalledTimes(1);
  expect(warned.mock.calls[0]![0]).toMatch(/NOTHING IS STOPPED/);
  warned.mockRestore();
  const session = await behest.as("alice", {
    read: {},
    pay: {},
    to: { a: { constraint_type: "exact", value: 1 } },
  });
  const done = { outcome: "done", value: 1 };
  for (const [tool, args] of [
    ["read", {}],
    ["pay", {}],
    ["drop", {}],
    ["to", { a: 2 }],
  ] as const)
    await expect(session.perform({ tool, args }, async () => 1)).resolves.toEqual(done);
  const records = await behest.records.list();
  expect(records.map(({ verdict, code }) => `${verdict} ${code}`)).toEqual([
    "permit ok",
    "permit approval_needed",
    "permit tool_not_granted",
    "permit argument_not_granted",
  ]);
  for (const { index } of records)
    expect((await behest.records.get(index))!.entries.action).toMatchObject({ enforce: "shadow" });
  expect(isGranted(session, "drop")).toBe(true);
});

test("under shadow the limits of policies are recorded and do not stop, those of delegations hold", async () => {
  using folder = new PolicyFolder({
    "a.cedar": `@id("all") @limit("2 calls, 5 EUR; 4 EUR per lifetime") permit(principal, action, resource);
      @ask("group:a") forbid(principal, action, resource) when { context.tool == "pay" };`,
  });
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const profiles = {
    read: { effect: "read", boundary: "inside" },
    pay: {
      effect: "irreversible",
      boundary: "outside",
      amount: ({ value = "1" }: { value?: string }) => ({ value, currency: "EUR" }),
    },
  } as const;
  await using behest = await restrictedBehest(
    { read: {}, pay: {}, note: {} },
    { enforce: "shadow", policy: folder.path, profiles },
  );
  const codes = async (session: Session): Promise<string[]> =>
    (await behest.records.list({ session })).map(({ verdict, code }) => `${verdict} ${code}`);
  const act = (session: Session, tool: string, value?: string): Promise<unknown> =>
    session.perform({ tool, args: value === undefined ? {} : { value } }, async () => 1);
  const session = await behest.opened({});
  // The second is too much for its lifetime and is counted with the rest; the third is too much for any counter.
  for (const value of ["3", "2", "5.01"]) await act(session, "pay", value);
  for (const tool of ["read", "note"]) await act(session, tool);
  expect(await codes(session)).toEqual([
    "permit approval_needed",
    "permit budget_spent",
    "permit budget_spent",
    "permit budget_spent",
    "permit amount_unknown",
  ]);
  const { index } = (await behest.records.list({ session, tool: "read" }))[0]!;
  expect((await behest.records.get(index))!.entries.action.findings.slice(-2)).toMatchObject([
    { check: "policy", code: "ok", rule: "a.cedar#all" },
    { check: "budget", code: "budget_spent", path: "policies.a.cedar#all.limits.subtree.calls" },
  ]);
  const observed = behest.observe();
  for (let i = 0; i < 3; i++) await act(observed, "read");
  expect(await codes(observed)).toEqual(["permit ok", "permit ok", "permit budget_spent"]);
  const held = await behest.opened({ limits: { calls: 1 } });
  await act(held, "read");
  await expect(act(held, "read")).rejects.toMatchObject({ code: "budget_spent" });
  warned.mockRestore();
});

test("under shadow a session that is over is over, and what is not JSON does not run", async () => {
  let now = Date.now();
  await using behest = await testBehest({ enforce: "shadow", clock: () => now });
  const session = await behest.as("alice", read);
  const never = vi.fn<() => Promise<number>>();
  await expect(session.perform({ tool: "read", args: { a: () => 1 } as never }, never)).rejects.toMatchObject(
    {
      code: "args_not_json",
    },
  );
  now += 2 * 3_600_000;
  await expect(session.perform({ tool: "read", args: {} }, never)).rejects.toMatchObject({
    code: "delegation_expired",
  });
  expect(never).not.toHaveBeenCalled();
});

test("only shadow is shadow, and without it nothing is marked", async () => {
  await expect(testBehest({ enforce: "off" as never })).rejects.toMatchObject({ code: "config_invalid" });
  await using behest = await testBehest({ enforce: "enforce" });
  const session = await behest.as("alice", read);
  await expect(session.perform({ tool: "drop", args: {} }, async () => 1)).rejects.toMatchObject({
    code: "tool_not_granted",
  });
  expect(isGranted(session, "drop")).toBe(false);
  const [record] = await behest.records.list();
  expect((await behest.records.get(record!.index))!.entries.action).not.toHaveProperty("enforce");
});
