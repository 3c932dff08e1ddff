import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Behest, type Session, type Store, sqliteStore } from "@behest/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { SharedDeployment, tried } from "../../core/test/revocation/deployment.ts";
import { Proxy } from "../test/proxy.ts";
import { postgresServer, sql } from "../test/server.ts";
import { postgresFeed } from "./feed.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

let deployment: SharedDeployment;
beforeAll(async () => void (deployment = await SharedDeployment.make()));

let folder: string;
let url: string;
let warned: string[];
const open: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-shared-"));
  url = await server!.url();
  warned = [];
  vi.spyOn(process, "emitWarning").mockImplementation((what) => void warned.push(String(what)));
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((one) => one.close()));
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A machine of its own, as it were: its own store, and the feed as it is reached at `port`. */
async function machine(name: string, port?: number): Promise<{ behest: Behest; store: Store }> {
  const store = sqliteStore(join(folder, `${name}.db`));
  const at = port === undefined ? url : url.replace(`:${server!.port}/`, `:${port}/`);
  const behest = await deployment.start(store, postgresFeed(at));
  open.push(behest);
  return { behest, store };
}

function ended({ signal }: Session): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason));
  });
}

const STALE = "revocation_stale";
const ALL = ["done", "done", "done"];

describe.runIf(server)("machines that share a feed on PostgreSQL", () => {
  test("what is revoked at one ends at the other, stands in both logs, and both verify", async () => {
    const [here, there] = [await machine("here"), await machine("there")];
    const [alice, bob] = [
      await deployment.open(there.behest, "alice"),
      await deployment.open(there.behest, "bob"),
    ];
    expect(await tried(alice)).toEqual(ALL);
    const end = ended(alice);
    await deployment.revoke(here.behest, "alice");
    expect(await end).toMatchObject({ code: "revoked" });
    expect(await tried(alice)).toEqual(["revoked", "revoked", "revoked"]);
    expect(await tried(bob)).toEqual(ALL);
    expect(await there.behest.revocations()).toMatchObject([{ target: { principal: "alice" }, stops: 1 }]);
    for (const { store } of [here, there])
      await expect
        .poll(() => deployment.verify(store))
        .toMatchObject({ ok: true, counts: { revocation: 1 } });
    expect(warned).toEqual([]);
  });

  test("a machine that comes later, or was away, knows what was revoked before", async () => {
    const here = await machine("here");
    await deployment.revoke(here.behest, "alice");
    const there = await machine("there");
    await expect(deployment.open(there.behest, "alice")).rejects.toMatchObject({ code: "revoked" });
    await there.behest.close();
    await deployment.revoke(here.behest, "bob");
    const again = await machine("there");
    await expect(deployment.open(again.behest, "bob")).rejects.toMatchObject({ code: "revoked" });
    expect(await deployment.verify(again.store)).toMatchObject({ ok: true, counts: { revocation: 2 } });
  });

  test("while the database is away less and less is permitted; when it is back all goes on by itself", async () => {
    const [here, there] = [await machine("here"), await machine("there")];
    const [alice, bob] = [
      await deployment.open(there.behest, "alice"),
      await deployment.open(there.behest, "bob"),
    ];
    expect(await tried(alice)).toEqual(ALL);
    // However long it takes.
    vi.useFakeTimers({ toFake: ["Date", "performance"] });
    await server!.stop();
    expect(await tried(alice)).toEqual(["done", "done", STALE]);
    vi.setSystemTime(Date.now() + 5_500);
    expect(await tried(alice)).toEqual(["done", STALE, STALE]);
    vi.setSystemTime(Date.now() + 25_000);
    expect(await tried(alice)).toEqual([STALE, STALE, STALE]);
    await expect(deployment.revoke(here.behest, "alice")).rejects.toMatchObject({ code: "store_failed" });
    await expect(machine("late")).rejects.toMatchObject({ code: "store_failed" });
    // Once a machine, and once for the one that could not start.
    await expect.poll(() => warned).toHaveLength(3);
    await server!.start();
    expect(await tried(alice)).toEqual(ALL);
    const end = ended(alice);
    await deployment.revoke(here.behest, "alice");
    expect(await end).toMatchObject({ code: "revoked" });
    expect(await tried(bob)).toEqual(ALL);
    expect(warned).toHaveLength(3);
  });

  const KEEP = "CREATE TABLE dump AS SELECT * FROM behest_cut";
  const RESTORE = "DELETE FROM behest_cut; INSERT INTO behest_cut SELECT * FROM dump";
  const MEDDLING: readonly [how: string, sql: string][] = [
    ["the last cut is trimmed", "DELETE FROM behest_cut WHERE seq = 2"],
    ["all are trimmed", "TRUNCATE behest_cut"],
    ["the table is gone", "DROP TABLE behest_cut"],
    ["an older dump is restored", RESTORE],
    [
      "an older dump is restored and goes on",
      `${RESTORE}; INSERT INTO behest_cut VALUES (2, 'a.b.c', 'x', NULL, 'y'), (3, 'd.e.f', 'z', NULL, 'w')`,
    ],
    ["the head is another", "UPDATE behest_cut SET hash = 'x' WHERE seq = 2"],
  ];
  for (const [how, meddle] of MEDDLING)
    test(`${how}: nothing is permitted, now or after a restart, until it is whole again`, async () => {
      const { behest } = await machine("here");
      await deployment.revoke(behest, "alice");
      await sql(url, KEEP);
      await deployment.revoke(behest, "bob");
      const carol = await deployment.open(behest, "carol");
      expect(await tried(carol)).toEqual(ALL);
      await sql(url, "CREATE TABLE whole AS SELECT * FROM behest_cut");
      await sql(url, meddle);
      await expect(deployment.open(behest, "dora")).rejects.toMatchObject({ code: "store_mismatch" });
      expect(await tried(carol)).toEqual([STALE, STALE, STALE]);
      await expect(machine("here")).rejects.toMatchObject({ code: "store_mismatch" });
      await sql(
        url,
        "CREATE TABLE IF NOT EXISTS behest_cut (LIKE whole); DELETE FROM behest_cut; INSERT INTO behest_cut SELECT * FROM whole",
      );
      await deployment.open(behest, "dora");
      expect(await tried(carol)).toEqual(ALL);
    });

  test("a cut that is replaced, or taken from the middle, stops who starts", async () => {
    const { behest } = await machine("here");
    for (const person of ["alice", "bob", "carol"]) await deployment.revoke(behest, person);
    for (const meddle of [
      "UPDATE behest_cut SET jws = 'a.b.c' WHERE seq = 2",
      "UPDATE behest_cut SET jws = NULL WHERE seq = 2",
      "UPDATE behest_cut SET jws = NULL, until = 1 WHERE seq = 2",
      "DELETE FROM behest_cut WHERE seq = 2",
    ]) {
      await sql(url, meddle);
      await expect(machine("there")).rejects.toMatchObject({ code: "store_mismatch" });
    }
  });

  test("in front of a line that delays everything, nothing starts that cannot be undone", async () => {
    using line = await Proxy.to(server!.port);
    const [here, there] = [await machine("here"), await machine("there", line.port)];
    const alice = await deployment.open(there.behest, "alice");
    expect(await tried(alice)).toEqual(ALL);
    line.delay = 1_600;
    const [look, , pay] = await tried(alice);
    expect([look, pay]).toEqual(["done", STALE]);
    const end = ended(alice);
    await deployment.revoke(here.behest, "alice");
    expect(await end).toMatchObject({ code: "revoked" });
  });

  for (const [late, came] of [
    [4_000, ["done", "done", STALE]],
    [20_000, ["done", STALE, STALE]],
    [40_000, [STALE, STALE, STALE]],
  ] as const)
    test(`answers that are ${late} ms old when they come count as that old`, async () => {
      using line = await Proxy.to(server!.port);
      const { behest } = await machine("there", line.port);
      const alice = await deployment.open(behest, "alice");
      vi.useFakeTimers({ toFake: ["Date"] });
      line.answer = (chunk) => {
        if (chunk.includes("nonce")) vi.setSystemTime(Date.now() + late);
        return chunk;
      };
      await tried(alice);
      expect(await tried(alice)).toEqual(came);
    });

  test("a line that goes dead without a word: what cannot be undone waits 3 s at most, the rest is stale in 5 s", async () => {
    using line = await Proxy.to(server!.port);
    const { behest } = await machine("there", line.port);
    const alice = await deployment.open(behest, "alice");
    expect(await tried(alice)).toEqual(ALL);
    line.still = true;
    vi.useFakeTimers({ toFake: ["Date"] });
    const [look, , pay] = await tried(alice);
    expect([look, pay]).toEqual(["done", STALE]);
    vi.setSystemTime(Date.now() + 5_500);
    expect(await tried(alice)).toEqual(["done", STALE, STALE]);
    line.still = false;
    await expect.poll(() => deployment.open(behest, "bob").catch(() => {})).toBeDefined();
    expect(await tried(alice)).toEqual(ALL);
  });
});
