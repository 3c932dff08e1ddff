import { describe, expect, test } from "vitest";
import { testDeployment } from "../../../core/test/store/deployment.ts";
import { objections, openLog, placedOf } from "../../../core/test/store/open-log.ts";
import { type Engine, engine as engineOf } from "../../../core/src/store/types.ts";
import { Proxy } from "../../test/proxy.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";

const COMMIT = "COMMIT\0";

describe.runIf(server)("attacks on a store on PostgreSQL", () => {
  test("a manifest that came into force while its taker was told otherwise lets nothing through under the one before", async () => {
    using line = await Proxy.to(server!.port);
    const at = url.replace(`:${server!.port}/`, `:${line.port}/`);
    const { engine, deployment, delegation } = await openLog(storeAt(at));
    await deployment.nextTrust();
    let [writes, gone] = [false, false];
    line.ask = (chunk) => {
      writes ||= chunk.includes("READ WRITE");
      gone ||= writes && chunk.includes(COMMIT);
      return undefined;
    };
    line.answer = (chunk) => {
      if (!gone) return chunk;
      line.cut();
      return undefined;
    };
    await expect(engine.rotate(await deployment.identity())).rejects.toMatchObject({ code: "store_failed" });
    expect(await sql(url, "SELECT FROM behest_entry")).toHaveLength(3);
    gone = false;
    line.ask = () => undefined;
    line.answer = (chunk) => chunk;
    const refused = { code: "trust_invalid" };
    await expect(engine.begin(deployment.begin("a", delegation))).rejects.toMatchObject(refused);
    await expect(engine.append(deployment.denial("b", delegation))).rejects.toMatchObject(refused);
    await engine.rotate(await deployment.identity());
    placedOf(await engine.begin(deployment.begin("a", delegation)));
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("a server that writes bytes in its older way is understood", async () => {
    const { engine, deployment, delegation } = await openLog(storeAt(`${url}%20-cbytea_output%3Descape`));
    const begin = deployment.begin("a", delegation);
    const placed = placedOf(await engine.begin(begin));
    const sealed = new Uint8Array([0, 92, 200, 65]);
    const content = [{ id: "r", principal: "p1", sealed }];
    await engine.finish(deployment.finish(begin, placed, { content, result: "r" }));
    expect(await engine.begin(begin)).toMatchObject({ begun: "ended", result: sealed });
    expect(Buffer.from((await engine.content(placed.index + 1))[0]!.sealed)).toEqual(Buffer.from(sealed));
    const other = storeAt(`${url}%20-cbytea_output%3Descape`)[engineOf];
    await other.attach(await deployment.identity());
    expect(await objections(other, deployment)).toEqual([]);
  });

  test("a database that lost what was acknowledged beside the log is refused by who was told", async () => {
    const { engine, deployment, delegation } = await openLog(storeAt(url));
    await engine.append(deployment.denial("a", delegation));
    const until = Date.now() + 60_000;
    const before = await sql<{ batch: number }>(url, "SELECT id, batch::float8 FROM behest_lease");
    expect(await engine.spend("proof", until)).toBe(true);
    // As a standby has it that was promoted a moment too early: the log is whole.
    await sql(url, "DELETE FROM behest_spent");
    await sql(url, "UPDATE behest_lease SET batch = $1", [before[0]!.batch]);
    await expect(engine.spend("proof", until)).rejects.toMatchObject({ code: "store_mismatch" });
    await expect(engine.begin(deployment.begin("b", delegation))).rejects.toMatchObject({
      code: "store_mismatch",
    });
  });

  test("a pooler between a named tenant and its server is refused", async () => {
    using line = await Proxy.to(server!.port);
    await sql(
      url,
      `DO $$ BEGIN
        CREATE ROLE pooled LOGIN PASSWORD 'password' NOBYPASSRLS;
        EXECUTE format('GRANT CREATE, USAGE ON SCHEMA %I TO pooled', current_schema);
      END $$`,
    );
    const role = new URL(url);
    role.username = "pooled";
    const at = role.href.replace(`:${server!.port}/`, `:${line.port}/`);
    const deployment = await testDeployment();
    // A pooler has its own keys to cancel by: the backend behind a connection changes.
    line.answer = (chunk) => {
      const key = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]));
      if (key >= 0) chunk.writeInt32BE(4_711, key + 5);
      return chunk;
    };
    await expect(
      storeAt(at, { tenant: "acme" })[engineOf].attach(await deployment.identity()),
    ).rejects.toMatchObject({ code: "store_unsafe" });
    line.answer = (chunk) => chunk;
    await storeAt(at, { tenant: "acme" })[engineOf].attach(await deployment.identity());
  });

  test("tables of a later version are not read either, nor by whoever was there before", async () => {
    const { engine } = await openLog(storeAt(url));
    await sql(url, "UPDATE behest_schema SET version = 99");
    const foreign = { code: "store_foreign" };
    await expect(storeAt(url)[engineOf].records({})).rejects.toMatchObject(foreign);
    await sql(
      url,
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'behest'",
    );
    await expect(engine.spend("id", Date.now() + 60_000)).rejects.toMatchObject(foreign);
  });

  test("a server that is killed in the midst of it loses nothing acknowledged, and nothing begins twice", async () => {
    const { engine, deployment, delegation } = await openLog(storeAt(url));
    const other = storeAt(url)[engineOf];
    await other.attach(await deployment.identity());
    const begun: string[] = [];
    const spent = new Set<string>();
    let kills = 0;
    const act = async (on: Engine, name: string): Promise<void> => {
      const begin = deployment.begin(name, delegation, { repeatable: false });
      if ((await insist(() => on.begin(begin))).begun === "started") begun.push(name);
      // What is told twice is spent twice: whoever was not told may ask again, and is then refused.
      if (await on.spend(name, begin.expires).catch(() => false)) {
        expect(spent.has(name)).toBe(false);
        spent.add(name);
      }
    };
    const crash = async (): Promise<void> => {
      await server!.kill();
      kills++;
      // Its children go when they notice.
      while (
        !(await server!.start().then(
          () => true,
          () => false,
        ))
      );
    };
    for (let round = 0; round < 3; round++) {
      const acting = Array.from({ length: 24 }, (_, i) =>
        [engine, other].map((on) => act(on, `${round} ${i}`)),
      );
      await Promise.all([...acting.flat(), crash()]);
    }
    expect(kills).toBe(3);
    expect(new Set(begun).size).toBe(begun.length);
    const records = await insist(() => engine.records({}));
    const known = new Set(records.map(({ action }) => action));
    expect(begun.filter((name) => !known.has(name))).toEqual([]);
    expect(known.size).toBe(72);
    for (const name of spent) expect(await insist(() => other.spend(name, Date.now() + 60_000))).toBe(false);
    expect(await objections(engine, deployment)).toEqual([]);
  }, 120_000);
});

/** Asks until it is answered. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if ((error as { code?: unknown }).code !== "store_failed") throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
