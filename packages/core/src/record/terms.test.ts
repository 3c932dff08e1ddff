import { expect, test } from "vitest";
import { Estate } from "../../test/estate.ts";
import { readStore } from "./reader.ts";

const profiles = {
  pay: { effect: "reversible", boundary: "inside", control: ["to", "note"] },
  look: { effect: "read", boundary: "inside" },
} as const;

test.for(["memory", "sqlite"] as const)(
  "records are found by a control argument, of each principal (%s)",
  async (kind) => {
    using estate = await Estate.make(kind);
    await using behest = await estate.open({ profiles: profiles as never });
    const [alice, carol] = [
      await behest.open(await estate.delegate({}, "alice")),
      await behest.open(await estate.delegate({}, "carol")),
    ];
    const call = async (session: typeof alice, tool: string, args: object): Promise<unknown> =>
      session.perform({ tool, args: args as never }, async () => 1).catch(() => {});
    await call(alice, "pay", { to: "bob", amount: 5 });
    await call(alice, "pay", { to: "eve", amount: 5 });
    await call(carol, "pay", { to: "bob", note: { of: [1, 2] } });
    await call(carol, "look", { to: "bob" });
    const found = async (filter: object): Promise<string[]> =>
      (await readStore(estate.store).records(filter)).map(({ principal, tool }) => `${principal} ${tool}`);
    const to = (value: unknown): object => ({ argument: { name: "to", value } });
    expect(await found(to("bob"))).toEqual(["alice pay", "carol pay"]);
    expect(await found({ ...to("bob"), principal: "carol" })).toEqual(["carol pay"]);
    expect(await found({ argument: { name: "note", value: { of: [1, 2] } } })).toEqual(["carol pay"]);
    // Not a part of it, not another type, and nothing that no profile declares.
    for (const value of ["bo", "BOB", ["bob"], null]) expect(await found(to(value))).toEqual([]);
    expect(await found({ argument: { name: "amount", value: 5 } })).toEqual([]);

    await behest.erase({ principal: "alice", reason: "test", despiteRetention: true });
    expect(await found(to("bob"))).toEqual(["carol pay"]);
    expect(await estate.report()).toMatchObject({ ok: true });
  },
);

test("what it stores is equal for equal values of one principal only, and says nothing of them", async () => {
  using estate = await Estate.make();
  await using behest = await estate.open({ profiles: profiles as never });
  const ids: string[] = [];
  for (const who of ["alice", "alice", "carol"]) {
    const session = await behest.open(await estate.delegate({}, who));
    await session.perform({ tool: "pay", args: { to: "bob" } }, async () => 1);
    const [last] = (await behest.records.list()).slice(-1);
    ids.push(
      ...(await estate.engine.content(last!.index))
        .map(({ id }) => id)
        .filter((id) => id.startsWith("term:")),
    );
  }
  expect(ids).toHaveLength(3);
  expect(ids[0]).toBe(ids[1]);
  expect(ids[2]).not.toBe(ids[0]);
});

test("a profile that was written without its types keeps nothing from being recorded", async () => {
  using estate = await Estate.make();
  const untyped = { pay: { ...profiles.pay, control: "to" } };
  await using behest = await estate.open({ profiles: untyped as never });
  const session = await behest.open(await estate.delegate());
  const paid = await session.perform({ tool: "pay", args: { to: "bob" } }, async () => 1);
  expect(paid).toMatchObject({ outcome: "done" });
  expect(await behest.records.list()).toHaveLength(1);
});
