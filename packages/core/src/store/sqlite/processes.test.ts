import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chargeOf } from "../../../test/store/charges.ts";
import { objections, openLog, placedOf } from "../../../test/store/open-log.ts";
import { testDeployment } from "../../../test/store/deployment.ts";
import { RemoteStore } from "../../../test/store/remote.ts";
import { stopUnlocked } from "../../../test/store/stop.ts";
import type { Begin, BeginResult, Engine, Placed } from "../types.ts";
import { sqliteStore } from "./store.ts";

let folder: string;
let path: string;
const remotes: RemoteStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "behest-processes-"));
  path = join(folder, "log.db");
});

afterEach(async () => {
  for (const { process } of remotes) process.kill("SIGKILL");
  await Promise.all(remotes.splice(0).map(({ ended }) => ended));
  rmSync(folder, { recursive: true });
});

function remote(options?: object, limit?: number): RemoteStore {
  const made = new RemoteStore(path, options, limit);
  remotes.push(made);
  return made;
}

/** Asks until the answer is another than `running`. */
async function settled(engine: Engine, begin: Begin): Promise<BeginResult> {
  for (;;) {
    const answer = await engine.begin(begin);
    if (answer.begun !== "running") return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("two processes write one log at once, and it verifies", async () => {
  const { engine, deployment, delegation, store } = await openLog(sqliteStore(path));
  const other = remote();
  await other.call("attach", await deployment.identity());
  const act = async (name: string, call: Pick<Engine, "begin" | "finish">): Promise<Placed> => {
    const begin = deployment.begin(name, delegation);
    const placed = placedOf(await call.begin(begin));
    expect(await call.finish(deployment.finish(begin, placed))).toMatchObject({ finished: "ended" });
    return placed;
  };
  const there = {
    begin: (b: Begin) => other.call("begin", b),
    finish: (f: Parameters<Engine["finish"]>[0]) => other.call("finish", f),
  };
  const placed = await Promise.all(
    Array.from({ length: 40 }, (_, i) => [act(`here ${i}`, engine), act(`there ${i}`, there)]).flat(),
  );
  expect(new Set(placed.map(({ index }) => index)).size).toBe(80);
  const entries = await engine.entries(0, 1000);
  expect(entries).toHaveLength(163);
  expect(await objections(engine, deployment)).toEqual([]);
  await other.call("close");
  await store.close();
});

test("of equal begins in two processes one starts; a principal has one name in both", async () => {
  const { engine, deployment, delegation, store } = await openLog(sqliteStore(path));
  const other = remote();
  await other.call("attach", await deployment.identity());
  for (let i = 0; i < 10; i++) {
    const begin = deployment.begin(`a${i}`, delegation);
    const answers = await Promise.all([engine.begin(begin), other.call("begin", begin)]);
    expect(answers.map(({ begun }) => begun).toSorted()).toEqual(["running", "started"]);
    const [here, there] = await Promise.all([
      engine.principal("iss", `${i}`),
      other.call("principal", "iss", `${i}`),
    ]);
    expect(here.pseudonym).toBe(there.pseudonym);
  }
  await store.close();
});

test("of two processes that spend an id one succeeds, and it stays spent when that one is killed", async () => {
  const { engine, deployment, store } = await openLog(sqliteStore(path));
  const other = remote();
  await other.call("attach", await deployment.identity());
  const until = Date.now() + 60_000;
  for (let i = 0; i < 20; i++) {
    const answers = await Promise.all([engine.spend(`a${i}`, until), other.call("spend", `a${i}`, until)]);
    expect(answers.toSorted()).toEqual([false, true]);
  }
  expect(await other.call("spend", "theirs", until)).toBe(true);
  other.process.kill("SIGKILL");
  await other.ended;
  expect(await engine.spend("theirs", until)).toBe(false);
  await store.close();
});

test("two processes cannot overspend one counter", async () => {
  const { engine, deployment, delegation, store } = await openLog(sqliteStore(path));
  const other = remote();
  await other.call("attach", await deployment.identity());
  const charges = [chargeOf("calls", "1", "100"), chargeOf("amount", "0.3", "9.9")];
  const answers = await Promise.all(
    Array.from({ length: 32 }, (_, i) => [
      engine.begin(deployment.begin(`here ${i}`, delegation, { charges })),
      other.call("begin", deployment.begin(`there ${i}`, delegation, { charges })),
    ]).flat(),
  );
  expect(answers.filter(({ begun }) => begun === "started")).toHaveLength(33);
  expect(answers.filter((answer) => "charge" in answer && answer.charge === 1)).toHaveLength(31);
  expect(await engine.records({})).toHaveLength(33);
  await store.close();
});

test("what a killed process had reserved stays reserved, and its read that starts again reserves nothing new", async () => {
  const deployment = await testDeployment();
  const killed = remote();
  await killed.call("attach", await deployment.identity());
  const delegation = await killed.call("append", deployment.root());
  const charges = [chargeOf("c", "1", "3")];
  const [read, write] = [
    deployment.begin("read", delegation, { charges }),
    deployment.begin("write", delegation, { charges, repeatable: false }),
  ];
  for (const begin of [read, write])
    expect(await killed.call("begin", begin)).toMatchObject({ begun: "started" });
  killed.process.kill("SIGKILL");
  await killed.ended;

  const store = sqliteStore(path);
  const { engine } = await openLog(store, deployment);
  expect(await engine.begin(write)).toMatchObject({ begun: "ended", outcome: "unknown" });
  const again = deployment.begin("read", delegation, { charges, attempt: 2 });
  expect(await engine.begin(again)).toMatchObject({ begun: "started" });
  expect(await engine.begin(deployment.begin("third", delegation, { charges }))).toMatchObject({
    begun: "started",
  });
  expect(await engine.begin(deployment.begin("fourth", delegation, { charges }))).toMatchObject({
    code: "budget_spent",
  });
  await store.close();
});

test("what a killed process had started is unknown to the next one; only reads start again", async () => {
  const deployment = await testDeployment();
  const killed = remote();
  await killed.call("attach", await deployment.identity());
  const delegation = await killed.call("append", deployment.root());
  const names = ["read", "write", "done"] as const;
  const begins = names.map((name) => deployment.begin(name, delegation, { repeatable: name === "read" }));
  const begun = await Promise.all(begins.map((begin) => killed.call("begin", begin)));
  await killed.call("begin", { ...begins[0]!, action: "spawn", entry: undefined!, record: undefined! });
  await killed.call("finish", deployment.finish(begins[2]!, placedOf(begun[2]!)));
  killed.process.kill("SIGKILL");
  await killed.ended;

  const store = sqliteStore(path);
  const { engine } = await openLog(store, deployment);
  expect(await engine.begin(begins[0]!)).toEqual({ begun: "retry", attempt: 2 });
  expect(await engine.begin(begins[1]!)).toEqual({
    begun: "ended",
    outcome: "unknown",
    code: "lease_lapsed",
  });
  expect(await engine.begin(begins[2]!)).toMatchObject({ begun: "ended", outcome: "done" });
  expect(await engine.begin({ ...begins[0]!, action: "spawn" })).toEqual({ begun: "retry", attempt: 2 });
  // manifest, root, 3 actions, 1 outcome; certificate, 2 outcomes: the spawn left none.
  expect(await engine.entries(0, 100)).toHaveLength(9);
  expect((await engine.records({})).map(({ outcome }) => outcome)).toEqual(["unknown", "unknown", "done"]);
  const again = deployment.begin("read", delegation, { attempt: 2 });
  await engine.finish(deployment.finish(again, placedOf(await engine.begin(again))));
  expect(await objections(engine, deployment)).toEqual([]);
  await store.close();
});

test("a process that is attached already meets the death of another at the next begin", async () => {
  const { engine, deployment, delegation, store } = await openLog(sqliteStore(path));
  const killed = remote();
  await killed.call("attach", await deployment.identity());
  const begin = deployment.begin("a", delegation, { repeatable: false });
  await killed.call("begin", begin);
  expect(await engine.begin(begin)).toEqual({ begun: "running" });
  killed.process.kill("SIGKILL");
  await killed.ended;
  expect(await settled(engine, begin)).toEqual({ begun: "ended", outcome: "unknown", code: "lease_lapsed" });
  expect(await objections(engine, deployment)).toEqual([]);
  await store.close();
});

test("a process that slept past its lease comes too late with its outcome", async () => {
  const options = { lease: 1_500 };
  const { engine, deployment, delegation, store } = await openLog(sqliteStore(path, options));
  const sleeper = remote(options);
  await sleeper.call("attach", await deployment.identity());
  const begin = deployment.begin("a", delegation, { repeatable: false });
  const placed = placedOf(await sleeper.call("begin", begin));
  await stopUnlocked(sleeper.process, path);
  expect(await settled(engine, begin)).toMatchObject({ begun: "ended", outcome: "unknown" });
  sleeper.process.kill("SIGCONT");
  expect(await sleeper.call("finish", deployment.finish(begin, placed))).toEqual({ finished: "late" });
  // It goes on under a new lease.
  const next = deployment.begin("b", delegation);
  const begun = await sleeper.call("begin", next);
  expect(await sleeper.call("finish", deployment.finish(next, placedOf(begun)))).toMatchObject({
    finished: "ended",
  });
  expect(await objections(engine, deployment)).toEqual([]);
  await store.close();
});

test("killed at any moment, it has lost nothing that it had acknowledged", async () => {
  const deployment = await testDeployment();
  const acknowledged = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const victim = remote();
    await victim.call("attach", await deployment.identity());
    const delegation = await victim.call("append", deployment.root());
    const work = Array.from({ length: 8 }, async (_, i) => {
      for (let n = 0; ; n++) {
        const name = `${round} ${i} ${n}`;
        const begin = deployment.begin(name, delegation, { repeatable: false });
        const placed = placedOf(await victim.call("begin", begin));
        await victim.call("finish", deployment.finish(begin, placed));
        acknowledged.add(name);
        if (acknowledged.size > 30 * (round + 1)) victim.process.kill("SIGKILL");
      }
    });
    await Promise.allSettled(work);
    expect(await victim.ended).toBe("SIGKILL");
  }
  const { engine, store } = await openLog(sqliteStore(path), deployment);
  const records = await engine.records({ verdict: "permit" });
  const done = new Set(records.filter(({ outcome }) => outcome === "done").map(({ action }) => action));
  expect([...acknowledged].filter((name) => !done.has(name))).toEqual([]);
  expect(records.every(({ outcome }) => outcome === "done" || outcome === "unknown")).toBe(true);
  expect(await objections(engine, deployment)).toEqual([]);
  await store.close();
});

test("a process that ends by itself has written all it was asked to, and an idle store does not keep it", async () => {
  const deployment = await testDeployment();
  const leaving = remote();
  await leaving.call("attach", await deployment.identity());
  const delegation = await leaving.call("append", deployment.root());
  const asked = Array.from({ length: 50 }, (_, i) =>
    leaving.call("begin", deployment.begin(`${i}`, delegation)),
  );
  await leaving.leave();
  await Promise.allSettled(asked);
  expect(await leaving.ended).toBe(0);
  const { engine, store } = await openLog(sqliteStore(path), deployment);
  expect(await engine.records({})).toHaveLength(50);
  await store.close();
});

test("on a full disk a write leaves nothing of itself, and no later one is taken", async () => {
  const deployment = await testDeployment();
  const cramped = remote({}, 1000);
  await cramped.call("attach", await deployment.identity());
  const delegation = await cramped.call("append", deployment.root());
  const acknowledged: string[] = [];
  let full: unknown;
  for (let n = 0; !full; n += 8) {
    const names = Array.from({ length: 8 }, (_, i) => `${n + i}`);
    const asked = names.map((name) => cramped.call("begin", deployment.begin(name, delegation)));
    for (const [i, answer] of (await Promise.allSettled(asked)).entries())
      if (answer.status === "fulfilled") acknowledged.push(names[i]!);
      else full = answer.reason;
  }
  expect(full).toMatchObject({ code: "store_failed" });
  await expect(cramped.call("append", deployment.denial("d", delegation))).rejects.toMatchObject({
    code: "store_failed",
  });
  cramped.process.kill("SIGKILL");
  await cramped.ended;
  const { engine, store } = await openLog(sqliteStore(path), deployment);
  const found = new Set((await engine.records({ verdict: "permit" })).map(({ action }) => action));
  expect(acknowledged.filter((name) => !found.has(name))).toEqual([]);
  expect(await objections(engine, deployment)).toEqual([]);
  await store.close();
});
