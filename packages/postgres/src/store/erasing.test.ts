import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { chargeOf } from "../../../core/test/store/charges.ts";
import { erasing } from "../../../core/test/store/erasure.ts";
import { objections, openLog, placedOf } from "../../../core/test/store/open-log.ts";
import { engine as engineOf } from "../../../core/src/store/types.ts";
import { writeEverything } from "../../test/everything.ts";
import { postgresServer, sql } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose]());

let url: string;
beforeEach(async () => void (url = await server!.url()));

const ALICE = { issuer: "iss", subject: "alice@example.com", pseudonym: "p1", key: Buffer.alloc(32, "key!") };

/** In which tables, as an operator sees them, one of these stands. */
async function found(secrets: readonly (string | Uint8Array)[]): Promise<readonly string[]> {
  const texts = secrets.map((one) => (typeof one === "string" ? one : Buffer.from(one).toString("hex")));
  const tables = await sql<{ name: string }>(
    url,
    "SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema::regnamespace AND relkind = 'r'",
  );
  const where: string[] = [];
  for (const { name } of tables) {
    const rows = await sql<{ row: string }>(url, `SELECT t::text AS row FROM ${name} t`);
    if (rows.some(({ row }) => texts.some((text) => row.includes(text)))) where.push(name);
  }
  return where.toSorted();
}

/** What the server keeps of columns for its plans, as it does by itself now and then. */
async function told(): Promise<string> {
  await sql(url, "ANALYZE");
  const rows = await sql<{ told: string }>(
    url,
    `SELECT concat(tablename, attname, most_common_vals::text, histogram_bounds::text) AS told
      FROM pg_stats WHERE schemaname = current_schema AND tablename LIKE 'behest%'`,
  );
  return rows.map((row) => row.told).join("\n");
}

describe.runIf(server)("erasure on PostgreSQL", () => {
  test("no row has anything of an erased principal any more, and the log verifies", async () => {
    const log = await openLog(postgresStore(url));
    const { engine, deployment } = log;
    await engine.register(ALICE);
    await writeEverything(log, "sealed-of-alice");
    const secrets = [ALICE.subject, ALICE.key, Buffer.from("sealed-of-alice")];
    expect(await found(secrets)).toEqual([
      "behest_approval",
      "behest_content",
      "behest_journal",
      "behest_principal",
      "behest_spawned",
    ]);
    expect(await engine.held(["counter"])).toEqual(["2"]);
    expect(await engine.erase(erasing())).toMatchObject({ erased: "done", swept: false });
    expect(await found(secrets)).toEqual([]);
    expect(await engine.held(["counter"])).toEqual(["0"]);
    expect(await objections(engine, deployment)).toEqual([]);
    await log.store.close();
  });

  test("the server's statistics have nothing of anybody, so that nothing is left in them", async () => {
    const log = await openLog(postgresStore(url));
    const { engine, deployment, delegation } = log;
    await engine.register(ALICE);
    await writeEverything(log, "sealed-of-alice");
    for (const name of ["bob", "carol"]) {
      await engine.principal("iss", `${name}@example.com`);
      await engine.feed.append({ jws: `${name}.b.c` });
      const sealed = new TextEncoder().encode(`sealed-of-${name}`);
      const { journal, ...turn } = deployment.interaction(delegation, name);
      const content = [{ id: name, principal: "p1", sealed }];
      await engine.append({ ...turn, content, journal: { ...journal!, sealed } });
    }
    expect(await told()).toContain("behest_record");
    const hex = (text: string): string => Buffer.from(text).toString("hex");
    for (const secret of ["@example.com", "carol.b.c", hex("key!key!"), hex("sealed-of-")])
      expect(await told()).not.toContain(secret);
    // Tables of the first version: what was sampled of them goes with the update.
    await sql(
      url,
      "ALTER TABLE behest_principal ALTER subject SET STATISTICS -1; ALTER TABLE behest_cut ALTER jws SET STATISTICS -1",
    );
    await sql(url, "UPDATE behest_schema SET version = 1");
    expect(await told()).toContain("@example.com");
    const next = postgresStore(url);
    await next[engineOf].attach(await deployment.identity());
    for (const secret of ["@example.com", "carol.b.c"]) expect(await told()).not.toContain(secret);
    expect(await next[engineOf].named("bob@example.com")).toHaveLength(1);
    await Promise.all([log.store.close(), next.close()]);
  });

  test("other processes write nothing more in that name, also what they had read before", async () => {
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const other = postgresStore(url);
    const there = other[engineOf];
    await there.attach(await deployment.identity());
    await engine.register(ALICE);
    const begin = (action: string, charges = [chargeOf("c", "1", "99")]) =>
      deployment.begin(action, delegation, { charges, repeatable: false });
    const running = placedOf(await there.begin(begin("a")));
    const answers = await Promise.allSettled([
      engine.erase(erasing()),
      ...Array.from({ length: 16 }, (_, i) => there.begin(begin(`b${i}`))),
    ]);
    expect(answers[0]).toMatchObject({ status: "fulfilled", value: { erased: "done" } });
    const erasedAt = (answers[0] as unknown as { value: { placed: { index: number } } }).value.placed.index;
    for (const answer of answers.slice(1))
      if (answer.status === "fulfilled")
        expect(placedOf(answer.value as object).index).toBeLessThan(erasedAt);
      else expect(answer.reason).toMatchObject({ code: "principal_erased" });
    await expect(there.begin(begin("c"))).rejects.toMatchObject({ code: "principal_erased" });
    const content = [{ id: "r", principal: "p1", sealed: new Uint8Array([1]) }];
    const ended = await there.finish(deployment.finish(begin("a"), running, { content }));
    expect(await engine.content(placedOf(ended).index)).toEqual([]);
    expect(await objections(engine, deployment)).toEqual([]);
    await Promise.all([store.close(), other.close()]);
  });
});
