import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteStore } from "@behest/core";
import { describe, expect, test } from "vitest";
import { type Engine, engine as engineOf } from "../../../core/src/store/types.ts";
import { chargeOf } from "../../../core/test/store/charges.ts";
import { testDeployment } from "../../../core/test/store/deployment.ts";
import { type OpenLog, objections, openLog } from "../../../core/test/store/open-log.ts";
import { pruning } from "../../../core/test/store/pruning.ts";
import { writeEverything } from "../../test/everything.ts";
import { sql } from "../../test/server.ts";
import { folder, path } from "../../test/moving.ts";
import { kept, server, url } from "../../test/stores.ts";
import { migrateSqlite } from "./migrate.ts";
import { postgresStore } from "./store.ts";

/** All that can be read of a store without attaching to it. */
async function read(engine: Engine, pseudonym: string): Promise<unknown> {
  const entries = await engine.entries(0, 10_000);
  return {
    entries,
    checkpoint: await engine.checkpoint(),
    contents: await Promise.all(entries.map((_, index) => engine.content(index))),
    subtrees: await engine.subtrees([
      { level: 2, index: 0 },
      { level: 0, index: 5 },
    ]),
    records: await engine.records({}),
    delegations: await engine.delegations(),
    root: await engine.delegation("root"),
    asked: await engine.approvals(),
    approval: await engine.approval("asked"),
    turn: await engine.recall("run", "t"),
    counters: await engine.held(["counter", "none"]),
    recorded: await engine.recorded(""),
    alice: await engine.subject(pseudonym),
    cosigned: await engine.cosigned(),
    document: await engine.document("digest"),
    coverage: await engine.coverage(),
    begun: await engine.hasBegun("action"),
  };
}

async function filled(): Promise<OpenLog> {
  const log = await openLog(sqliteStore(path));
  await writeEverything(log, "moved");
  return log;
}

describe.runIf(server)("a store that moves from SQLite to PostgreSQL", () => {
  test("what was pruned moves as its hashes; what has lost its text without an entry that says so does not", async () => {
    const log = await openLog(sqliteStore(path), await testDeployment({ retention: 0 }));
    const { engine, deployment, delegation } = log;
    const gone = await engine.append(deployment.denial("a", delegation));
    const lost = await engine.append(deployment.denial("b", delegation));
    await engine.prune(await pruning(engine, [gone.index]));
    await log.store.close();
    const other = join(folder, "other.db");
    copyFileSync(path, other);
    using db = new DatabaseSync(other);
    db.exec(`UPDATE entry SET jws = '' WHERE idx = ${lost.index}`);
    db.close();
    await expect(migrateSqlite(other, url)).rejects.toMatchObject({ code: "store_mismatch" });
    await migrateSqlite(path, url);
    const there = kept(postgresStore(url));
    await there[engineOf].attach(await deployment.identity());
    expect(await there[engineOf].entries(gone.index, 2)).toEqual(["", expect.stringMatching(/^ey/)]);
    expect(await objections(there[engineOf], deployment)).toEqual([]);
  });

  test("all of it is there, under the same checkpoint, and the log goes on and verifies", async () => {
    const log = await filled();
    const { pseudonym } = await log.engine.principal("iss", "alice");
    await log.engine.begin(log.deployment.begin("running", log.delegation, { repeatable: false }));
    const cuts = await log.engine.feed.read(0);
    await log.store.close();
    const before = await read(kept(sqliteStore(path))[engineOf], pseudonym);

    const { entries, head } = await migrateSqlite(path, url);
    expect([entries, head]).toEqual([7, expect.stringMatching(/^7:/)]);
    const { engine } = { engine: kept(postgresStore(url))[engineOf] };
    expect(await read(engine, pseudonym)).toEqual(before);

    await engine.attach(await log.deployment.identity());
    expect(await engine.feed.read(0)).toEqual(cuts);
    expect((await engine.principal("iss", "alice")).pseudonym).toBe(pseudonym);
    const { deployment, delegation } = log;
    const done = { begun: "ended", outcome: "done", result: new TextEncoder().encode("moved") };
    expect(await engine.begin(deployment.begin("action", delegation))).toMatchObject(done);
    // What ran when the machine was stopped is not known, and does not run again.
    expect(await engine.begin(deployment.begin("running", delegation, { repeatable: false }))).toMatchObject({
      begun: "ended",
      outcome: "unknown",
    });
    expect(await engine.spend("id", Date.now() + 60_000)).toBe(false);
    expect(await engine.append(deployment.denial("new", delegation))).toMatchObject({ index: 9 });
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("a target that is not empty is refused, and left as it was; another tenant's is empty", async () => {
    await (await filled()).store.close();
    const there = await openLog(kept(postgresStore(url)));
    const before = await there.engine.checkpoint();
    await expect(migrateSqlite(path, url)).rejects.toMatchObject({ code: "store_foreign" });
    expect(await there.engine.checkpoint()).toBe(before);
    expect(await there.engine.entries(0, 100)).toHaveLength(2);
    const role = await user();
    expect(await migrateSqlite(path, role, { tenant: "moved" })).toMatchObject({ entries: 6 });
    await expect(migrateSqlite(path, role, { tenant: "moved" })).rejects.toMatchObject({
      code: "store_foreign",
    });
  });

  test("a store that a process still uses is refused", async () => {
    const { store } = await filled();
    await expect(migrateSqlite(path, url)).rejects.toMatchObject({ code: "store_failed" });
    await store.close();
    expect(await migrateSqlite(path, url)).toMatchObject({ entries: 6 });
  });

  test.each([
    ["an entry was changed", "UPDATE entry SET jws = (SELECT jws FROM entry WHERE idx = 2) WHERE idx = 3"],
    ["an entry is gone", "DELETE FROM entry WHERE idx = 3"],
    ["the end is gone", "DELETE FROM entry WHERE idx = 5"],
    ["a subtree's hash was changed", "UPDATE entry SET nodes = zeroblob(96) WHERE idx = 3"],
    [
      "the checkpoint is another",
      "UPDATE head SET checkpoint = replace(checkpoint, char(10) || '6' || char(10), char(10) || '5' || char(10))",
    ],
  ])("a log that does not agree with itself is not moved: %s", async (_, meddle) => {
    await (await filled()).store.close();
    // It would tell of most by itself.
    rmSync(`${path}-head`);
    using db = new DatabaseSync(path);
    db.exec(meddle);
    await expect(migrateSqlite(path, url)).rejects.toMatchObject({ code: "store_mismatch" });
    expect(await sql(url, "SELECT FROM behest_entry")).toEqual([]);
    expect(await sql(url, "SELECT FROM behest_principal")).toEqual([]);
  });

  test("an older copy of the file is not moved where its place has seen a newer one", async () => {
    const log = await filled();
    await log.store.close();
    const older = ["", "-cuts"].map((name) => [path + name, readFileSync(path + name)] as const);
    const again = await openLog(kept(sqliteStore(path)), log.deployment);
    await again.engine.begin(
      log.deployment.begin("later", log.delegation, { charges: [chargeOf("counter", "3", "5")] }),
    );
    await again.store.close();
    for (const [file, bytes] of older) writeFileSync(file, bytes);
    await expect(migrateSqlite(path, url)).rejects.toMatchObject({ code: "store_mismatch" });
    expect(await sql(url, "SELECT FROM pg_tables WHERE schemaname = current_schema")).toEqual([]);
  });

  test("a table or a column that is not known here is not left behind in silence", async () => {
    await (await filled()).store.close();
    for (const [more, less] of [
      ["CREATE TABLE later (a, b)", "DROP TABLE later"],
      ["ALTER TABLE action ADD COLUMN later TEXT", "ALTER TABLE action DROP COLUMN later"],
    ] as const) {
      using db = new DatabaseSync(path);
      db.exec(more);
      await expect(migrateSqlite(path, url)).rejects.toMatchObject({ code: "store_foreign" });
      db.exec(less);
    }
    expect(await migrateSqlite(path, url)).toMatchObject({ entries: 6 });
  });

  test("the feed that its machine has shared before stays, where it has every cut", async () => {
    await (await filled()).store.close();
    const other = await openLog(kept(postgresStore(url, { lease: 1 } as object)));
    await other.engine.feed.append({ jws: "other.b.c" });
    await sql(
      url,
      "DELETE FROM behest_entry; DELETE FROM behest_head; DELETE FROM behest_once; DELETE FROM behest_delegation",
    );
    await expect(migrateSqlite(path, url)).rejects.toMatchObject({ code: "store_foreign" });
    await other.engine.feed.append({ jws: "moved.b.c" });
    expect(await migrateSqlite(path, url)).toMatchObject({ entries: 6 });
    expect((await other.engine.feed.read(0)).rows.map(({ jws }) => jws)).toEqual(["other.b.c", "moved.b.c"]);
  });

  test("failures name no password", async () => {
    await (await filled()).store.close();
    const nobody = "postgres://someone:secret-word@127.0.0.1:1/some-base";
    const error: unknown = await migrateSqlite(path, nobody).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "store_failed" });
    expect((error as Error).message).not.toMatch(/secret-word|127\.0\.0\.1|someone|some-base/);
    await expect(migrateSqlite(join(folder, "none.db"), url)).rejects.toMatchObject({
      code: "store_missing",
    });
    const deployment = await testDeployment();
    await kept(postgresStore(url))[engineOf].attach(await deployment.identity());
  });
});

/** The same as somebody who is not above row-level security. */
async function user(): Promise<string> {
  await sql(
    url,
    `CREATE ROLE moving LOGIN PASSWORD 'password' NOBYPASSRLS;
      DO $$ BEGIN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO moving', current_schema);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO moving', current_schema);
      END $$`,
  );
  const role = new URL(url);
  role.username = "moving";
  return role.href;
}
