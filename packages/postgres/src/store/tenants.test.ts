import type { Manifest } from "@behest/provenance";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { testDeployment } from "../../../core/test/store/deployment.ts";
import { type OpenLog, objections, openLog } from "../../../core/test/store/open-log.ts";
import { type Store, engine as engineOf } from "../../../core/src/store/types.ts";
import { pruning } from "../../../core/test/store/pruning.ts";
import { writeEverything } from "../../test/everything.ts";
import { postgresServer, sql } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

/** As a superuser, as the owner of the tables, and as somebody who may only use them. */
let [superuser, owner, user] = ["", "", ""];
const open: Store[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((store) => store.close()))));

function as(role: string): string {
  const url = new URL(superuser);
  url.username = role;
  return url.href;
}

beforeAll(async () => {
  if (!server) return;
  superuser = await server.url();
  await sql(
    superuser,
    `CREATE ROLE owning LOGIN PASSWORD 'password' NOBYPASSRLS; CREATE ROLE caller LOGIN PASSWORD 'password' NOBYPASSRLS;
      DO $$ BEGIN EXECUTE format('GRANT CREATE, USAGE ON SCHEMA %I TO owning', current_schema); END $$;
      DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO caller', current_schema); END $$`,
  );
  [owner, user] = [as("owning"), as("caller")];
  const first = postgresStore(owner, { tenant: "first" });
  await first[engineOf].attach(await (await testDeployment()).identity());
  await first.close();
  // The rights that a process needs: see the package's README.
  await sql(
    owner,
    `DO $$ BEGIN EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO caller', current_schema); END $$`,
  );
});

async function tenant(name: string, url = user, change: Partial<Manifest> = {}): Promise<OpenLog> {
  const store = postgresStore(url, { tenant: name });
  open.push(store);
  return openLog(store, await testDeployment(change));
}

const TABLES = `SELECT c.relname AS name FROM pg_class c
  WHERE c.relnamespace = current_schema::regnamespace AND c.relkind = 'r' AND c.relname <> 'behest_schema'`;

describe.runIf(server)("tenants of one PostgreSQL", () => {
  test("what one prunes is its own", async () => {
    const [a, b] = [await tenant("pruning", user, { retention: 0 }), await tenant("another", user)];
    for (const { engine, deployment, delegation } of [a, b])
      await engine.append(deployment.denial("a", delegation));
    const before = await b.engine.entries(0, 10);
    expect(await a.engine.prune(await pruning(a.engine, [2]))).toMatchObject({ pruned: "done" });
    expect(await a.engine.entries(2, 1)).toEqual([""]);
    expect([await b.engine.entries(0, 10), (await b.engine.records({})).length]).toEqual([before, 1]);
    for (const { engine, deployment } of [a, b]) expect(await objections(engine, deployment)).toEqual([]);
  });

  test("each has a log, counters, approvals and a feed of its own, under the same names", async () => {
    const [a, b] = [await tenant("a"), await tenant("b")];
    for (const [log, name] of [
      [a, "a"],
      [b, "b"],
    ] as const)
      await writeEverything(log, name);
    for (const [{ engine, deployment }, name] of [
      [a, "a"],
      [b, "b"],
    ] as const) {
      expect(await engine.entries(0, 100)).toHaveLength(6);
      expect(await engine.held(["counter"])).toEqual(["2"]);
      expect(Buffer.from((await engine.approval("asked"))!.sealed).toString()).toBe(name);
      expect(Buffer.from((await engine.recall("run", "t"))!.sealed).toString()).toBe(name);
      expect(await engine.document("digest")).toBe(name);
      expect(await engine.coverage()).toMatchObject([{ tool: name }]);
      expect((await engine.feed.read(0)).rows).toMatchObject([{ seq: 1, jws: `${name}.b.c` }]);
      expect(await objections(engine, deployment)).toEqual([]);
    }
    const [alice, other] = await Promise.all([a, b].map(({ engine }) => engine.principal("iss", "alice")));
    expect(await b.engine.subject(alice!.pseudonym)).toBeUndefined();
    expect(alice!.pseudonym).not.toBe(other!.pseudonym);
  });

  test("no statement of a tenant's connection reads or writes a row of another, on any table", async () => {
    await writeEverything(await tenant("c"), "c");
    await writeEverything(await tenant("d"), "d");
    const names = (await sql<{ name: string }>(superuser, TABLES)).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(15);
    for (const name of names) {
      for (const role of [user, owner]) {
        const asC = `${role}%20-cbehest.tenant%3Dc`;
        const rows = await sql<{ tenant: string }>(asC, `SELECT DISTINCT tenant FROM ${name}`);
        expect([name, rows]).toEqual([name, [{ tenant: "c" }]]);
        const noted = `WITH changed AS (UPDATE ${name} SET tenant = tenant WHERE tenant = 'd' RETURNING 1) SELECT FROM changed`;
        expect(await sql(asC, noted)).toEqual([]);
        const dropped = `WITH dropped AS (DELETE FROM ${name} WHERE tenant = 'd' RETURNING 1) SELECT FROM dropped`;
        expect(await sql(asC, dropped)).toEqual([]);
        for (const write of [
          `INSERT INTO ${name} SELECT (jsonb_populate_record(t, '{"tenant": "d"}')).* FROM ${name} t`,
          `UPDATE ${name} SET tenant = 'd'`,
        ])
          await expect(sql(asC, write)).rejects.toMatchObject({ code: "42501" });
        // Whoever says nothing is the tenant without a name.
        expect(await sql(role, `SELECT FROM ${name}`)).toEqual([]);
      }
      expect(await sql(superuser, `SELECT FROM ${name} WHERE tenant = 'd'`)).not.toEqual([]);
    }
  });

  test("a role that is above row-level security is refused for a named tenant", async () => {
    await expect(tenant("e", superuser)).rejects.toMatchObject({ code: "store_unsafe" });
    await sql(superuser, "ALTER ROLE caller BYPASSRLS");
    await expect(tenant("e")).rejects.toMatchObject({ code: "store_unsafe" });
    await sql(superuser, "ALTER ROLE caller NOBYPASSRLS");
    await tenant("e");
  });

  test("a superuser without a tenant sees the rows of none", async () => {
    await writeEverything(await tenant("f"), "f");
    const store = postgresStore(superuser);
    open.push(store);
    const log = await openLog(store);
    await writeEverything(log, "none");
    expect(await log.engine.entries(0, 100)).toHaveLength(6);
    expect((await log.engine.feed.read(0)).rows).toMatchObject([{ jws: "none.b.c" }]);
    expect(await objections(log.engine, log.deployment)).toEqual([]);
  });

  test("a name that could be mistaken is refused", () => {
    for (const name of ["", " a", "a'b", "x".repeat(201), "a\n"])
      expect(() => postgresStore(user, { tenant: name })).toThrow(
        expect.objectContaining({ code: "config_invalid" }) as Error,
      );
  });
});
