import { grants } from "@behest/delegation";
import { expect, test } from "vitest";
import { ambientSession, callTool, spawn } from "../adapter.ts";
import { currentSession } from "./ambient.ts";
import { BehestError } from "../error.ts";
import { testBehest } from "../testing.ts";
import type { Session } from "../types.ts";

const tools = { read: {}, pay: {}, send: {} };
const all = grants(tools, { read: true, pay: true, send: true });
const only = (...names: ("read" | "pay" | "send")[]): typeof all =>
  grants(tools, Object.fromEntries(names.map((name) => [name, true])));
const codeOf = (error: unknown): string => (error as BehestError).code;

test("a sub-agent acts under a narrower delegation, and its parent's other tools are gone", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", all);
  const child = await alice.delegate({ agent: "reader", tools: only("read") });
  expect([child.principal, child.agent]).toEqual(["alice", "reader"]);
  expect(await child.perform({ tool: "read", args: {} }, async () => 1)).toEqual({
    outcome: "done",
    value: 1,
  });
  await expect(child.perform({ tool: "pay", args: {} }, async () => 1)).rejects.toSatisfy(
    (e) => codeOf(e) === "tool_not_granted",
  );
});

test("three deep, each level narrower; asking for what was dropped on the way is refused with its path", async () => {
  await using behest = await testBehest();
  const root = await behest.as("alice", all);
  const one = await root.delegate({ tools: only("read", "pay") });
  const two = await one.delegate({ tools: only("read") });
  const three = await two.delegate({ tools: only("read") });
  expect(three.id.split(".")).toHaveLength(4);
  await expect(two.delegate({ tools: only("pay") })).rejects.toMatchObject({
    code: "wider_than_parent",
    message: expect.stringContaining("tools.pay"),
  });
  await expect(three.delegate({ tools: all })).rejects.toSatisfy((e) => codeOf(e) === "wider_than_parent");
});

test("a child may not outlive its parent nor be derived once that has expired", async () => {
  let now = Date.now();
  await using behest = await testBehest({ clock: () => now });
  const root = await behest.as("alice", all);
  await expect(root.delegate({ tools: all, expiresIn: "2h" })).rejects.toMatchObject({
    code: "wider_than_parent",
  });
  now += 3_700_000;
  await expect(root.delegate({ tools: all })).rejects.toSatisfy((e) => codeOf(e) === "delegation_expired");
});

test("replaying a spawn yields the same token; asking it for something else is a conflict", async () => {
  await using behest = await testBehest();
  const parent = await behest.as("alice", all, { run: "r" });
  const call = { tool: "read_agent", args: { q: 1 }, callId: "c1", turn: "t1" };
  const ids: string[] = [];
  const work = async (child: Session): Promise<string> => {
    ids.push(child.id);
    if (ids.length < 2) throw new Error("crash");
    return "answer";
  };
  await expect(spawn(parent, call, { tools: only("read") }, work)).rejects.toThrow("crash");
  await expect(spawn(parent, call, { tools: only("pay") }, work)).rejects.toSatisfy(
    (e) => codeOf(e) === "action_conflict",
  );
  expect(await spawn(parent, call, { tools: only("read") }, work)).toBe("answer");
  expect(await spawn(parent, call, { tools: only("read") }, work)).toBe("answer");
  expect(ids).toEqual([ids[0], ids[0]]);
});

test("a spawn that asks for more is refused and recorded, and its agent never starts", async () => {
  await using behest = await testBehest();
  const parent = await behest.as("alice", only("read"));
  const call = { tool: "pay_agent", args: {}, callId: "c1" };
  const attempt = spawn(parent, call, { tools: only("pay") }, async () => expect.unreachable("it started"));
  await expect(attempt).rejects.toMatchObject({ code: "wider_than_parent", name: "BehestDenied" });
  expect((await behest.records.list()).map((r) => [r.tool, r.verdict, r.code])).toEqual([
    ["pay_agent", "deny", "wider_than_parent"],
  ]);
});

test("parallel siblings never see each other's session, generators and streams included", async () => {
  await using behest = await testBehest();
  const root = await behest.as("alice", all);
  const names = ["a", "b", "c", "d", "e", "f"];
  const seen = await Promise.all(
    names.map((name) =>
      spawn(root, { tool: name, args: {}, callId: name }, { agent: name, tools: only("read") }, async () => {
        const found: string[] = [];
        for (let i = 0; i < 5; i++) {
          await new Promise((resolve) => setImmediate(resolve));
          await callTool(
            currentSession(),
            { tool: "read", args: { i } },
            async () => void found.push(currentSession().agent),
          );
        }
        return [...new Set(found)].join();
      }),
    ),
  );
  expect(seen).toEqual(names);
  expect(ambientSession()).toBeUndefined();
});

test("a generator made in one session and pulled in another runs in its own", async () => {
  await using behest = await testBehest();
  const [alice, bob] = [await behest.as("alice", all), await behest.as("bob", all)];
  async function* who(): AsyncGenerator<string> {
    yield currentSession().principal;
    yield currentSession().principal;
  }
  const direct = alice.run(() => who());
  const resolved = await alice.run(async () => who());
  const seen = await bob.run(async () => {
    const found: string[] = [];
    for await (const name of direct) found.push(name);
    for await (const name of resolved) found.push(name);
    return found;
  });
  expect(seen).toEqual(["alice", "alice", "alice", "alice"]);
});

test("records of a session include those of everything below it, and of nothing beside it", async () => {
  await using behest = await testBehest();
  const [alice, bob] = [await behest.as("alice", all), await behest.as("bob", all)];
  const child = await alice.delegate({ agent: "child", tools: only("read") });
  for (const session of [alice, bob, child]) await session.perform({ tool: "read", args: {} }, async () => 1);
  const of = async (session: Session): Promise<string[]> =>
    (await behest.records.list({ session })).map((r) => `${r.principal} ${r.agent}`);
  expect(await of(alice)).toEqual(["alice agent", "alice child"]);
  expect(await of(child)).toEqual(["alice child"]);
  expect((await behest.records.list({ principal: "bob" })).length).toBe(1);
  expect((await behest.records.list({ agent: "child" })).length).toBe(1);
});
