import { type Delegation, deriveDelegation, generateHolder } from "@behest/delegation";
import { expect, test } from "vitest";
import { type RestrictedBehest, restrictedBehest } from "../../test/restricted.ts";
import { spawn } from "../adapter.ts";
import { memoryStore } from "../store/memory.ts";
import { engine } from "../store/types.ts";
import type { Session } from "../types.ts";

const tools = { look: {} };
const run = async (): Promise<string> => "ran";
const full = { code: "fan_out_spent", name: "BehestDenied" };

/** A child that was derived somewhere else. */
const derive = (behest: RestrictedBehest, parent: Delegation, more: object = {}): Promise<Delegation> =>
  deriveDelegation(parent, { holder: behest.holder.jwk, tools, ...more }, behest.holder);

test("as many children as the delegation allows are derived from it, by each of its descendants too", async () => {
  await using behest = await restrictedBehest(tools);
  const root = await behest.opened({ fanOut: 2 });
  const [one] = [await root.delegate({ tools }), await root.delegate({ tools })];
  await expect(root.delegate({ tools })).rejects.toMatchObject(full);
  // A child's children are its own, as many as it may have.
  const grandchildren = [await one.delegate({ tools }), await one.delegate({ tools, fanOut: 0 })];
  await expect(one.delegate({ tools })).rejects.toMatchObject(full);
  await expect(grandchildren[1]!.delegate({ tools })).rejects.toMatchObject(full);
  expect(await grandchildren[1]!.perform({ tool: "look", args: {} }, run)).toMatchObject({ outcome: "done" });
  const free = await behest.opened({});
  for (let i = 0; i < 5; i++) await free.delegate({ tools });
});

test("of 64 that are spawned at once as many start as there is room for; the others are refused and recorded", async () => {
  await using behest = await restrictedBehest(tools);
  const root = await behest.opened({ fanOut: 20 });
  const spawned = await Promise.allSettled(
    Array.from({ length: 64 }, (_, i) =>
      spawn(root, { tool: "helper", args: {}, callId: `c${i}` }, { tools }, run),
    ),
  );
  expect(spawned.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
  const denials = await behest.records.list({ tool: "helper" });
  expect(denials).toHaveLength(44);
  expect(new Set(denials.map(({ verdict, code }) => `${verdict} ${code}`))).toEqual(
    new Set(["deny fan_out_spent"]),
  );
  expect(root.signal.aborted).toBe(false);
});

test("a spawn that is made again counts once, in this process and after it", async () => {
  const store = memoryStore();
  await using behest = await restrictedBehest(tools, { store });
  const root = await behest.issue({ fanOut: 1 });
  const call = { tool: "helper", args: {}, callId: "c", turn: "t" };
  const ids: string[] = [];
  for (let life = 0; life < 3; life++) {
    const session = await behest.open(root, { run: "r" });
    const child = async (own: Session): Promise<string> => {
      ids.push(own.id);
      throw new Error("crash");
    };
    await expect(spawn(session, call, { tools }, child)).rejects.toThrow("crash");
  }
  expect(new Set(ids).size).toBe(1);
  const session = await behest.open(root, { run: "r" });
  expect(await spawn(session, call, { tools }, run)).toBe("ran");
  await expect(spawn(session, { ...call, callId: "d" }, { tools }, run)).rejects.toMatchObject(full);
});

test("children that come from outside count as well, each token once, at every level", async () => {
  await using behest = await restrictedBehest(tools);
  const root = await behest.issue({ fanOut: 2 });
  const [a, b, c] = [await derive(behest, root), await derive(behest, root), await derive(behest, root)];
  for (let i = 0; i < 3; i++) await behest.open(a);
  const session = await behest.open(root);
  await session.delegate({ tools });
  const refused = { code: "delegation_invalid", message: expect.stringContaining("derived") as string };
  await expect(behest.open(b)).rejects.toMatchObject(refused);
  await expect(behest.open(await derive(behest, c))).rejects.toMatchObject(refused);
  // Below the child that counts there is room.
  await behest.open(await derive(behest, a));
  await behest.open(await derive(behest, a));
  await expect(behest.open(await derive(behest, a))).rejects.toMatchObject(refused);
});

test("two tokens with one jti are two children: a jti is no way round", async () => {
  await using behest = await restrictedBehest(tools);
  const root = await behest.issue({ fanOut: 1 });
  await behest.open(await derive(behest, root, { jti: "same" }));
  const again = await derive(behest, root, { jti: "same", task: "another" });
  await expect(behest.open(again)).rejects.toMatchObject({ code: "delegation_invalid" });
});

test("nobody uses up another's children: not by a jti of their choice, nor with a token they cannot use", async () => {
  await using behest = await restrictedBehest(tools);
  const root = await behest.issue({ fanOut: 3 });
  const victim = await derive(behest, root, { jti: "victim", fanOut: 1 });
  const rogue = await derive(behest, root, { jti: "rogue" });
  const impostor = await derive(behest, rogue, { jti: "victim", fanOut: 1 });
  await behest.open(await derive(behest, impostor));
  const stolen = await derive(behest, victim, { holder: (await generateHolder()).jwk });
  await expect(behest.open(stolen)).rejects.toMatchObject({ code: "holder_mismatch" });
  await (await behest.open(victim)).delegate({ tools });
});

test("a child that is refused leaves nothing in the store", async () => {
  const store = memoryStore();
  await using behest = await restrictedBehest(tools, { store });
  const root = await behest.issue({ fanOut: 0 });
  const session = await behest.open(root);
  const before = await store[engine].entries(0, 100);
  await expect(session.delegate({ tools })).rejects.toMatchObject(full);
  await expect(behest.open(await derive(behest, root))).rejects.toMatchObject({ code: "delegation_invalid" });
  expect(await store[engine].entries(0, 100)).toEqual(before);
});
