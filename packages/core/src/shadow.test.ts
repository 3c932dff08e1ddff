import { expect, test, vi } from "vitest";
import { PolicyFolder } from "../test/policy/folder.ts";
import { isGranted } from "./adapter.ts";
import { testBehest } from "./testing.ts";

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
