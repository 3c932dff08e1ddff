import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chargeOf } from "../../../test/store/charges.ts";
import { objections, openLog, placedOf } from "../../../test/store/open-log.ts";
import { testDeployment } from "../../../test/store/deployment.ts";
import { processConformance, settled } from "../../../test/store/processes.ts";
import { RemoteStore } from "../../../test/store/remote.ts";
import { stopUnlocked } from "../../../test/store/stop.ts";
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

processConformance(() => sqliteStore(path), remote);

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
