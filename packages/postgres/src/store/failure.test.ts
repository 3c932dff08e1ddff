import { describe, expect, test } from "vitest";
import { objections, openLog, placedOf } from "../../../core/test/store/open-log.ts";
import { type Engine, engine as engineOf } from "../../../core/src/store/types.ts";
import { Proxy } from "../../test/proxy.ts";
import { sql } from "../../test/server.ts";
import { server, storeAt, url } from "../../test/stores.ts";

/** As a client asks for it, and not as an isolation level is called. */
const COMMIT = "COMMIT\0";
const FAILED = { code: "store_failed" };

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

async function killAll(): Promise<number> {
  const [row] = await sql<{ n: number }>(
    url,
    "SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity WHERE application_name = 'behest'",
  );
  return row!.n;
}

describe.runIf(server)("a store on PostgreSQL that fails", () => {
  test("while the database is away nothing is permitted; when it is back all goes on by itself", async () => {
    const { engine, deployment, delegation } = await openLog(storeAt(url));
    const before = deployment.begin("before", delegation, { repeatable: false });
    const running = placedOf(await engine.begin(before));
    await server!.stop();
    const asked = await Promise.allSettled([
      engine.begin(deployment.begin("a", delegation)),
      engine.append(deployment.denial("d", delegation)),
      engine.finish(deployment.finish(before, running)),
      engine.spend("id", Date.now() + 60_000),
      engine.principal("iss", "alice"),
      engine.hasBegun("before"),
      engine.checkpoint(),
      engine.feed.read(0),
    ]);
    for (const answer of asked) expect(answer).toMatchObject({ status: "rejected", reason: FAILED });
    await expect(storeAt(url)[engineOf].attach(await deployment.identity())).rejects.toMatchObject(FAILED);
    await server!.start();
    expect(await insist(() => engine.begin(deployment.begin("a", delegation)))).toMatchObject({
      begun: "started",
    });
    // Its end was told to nobody: what it has done is not known, and it is not done again.
    expect(await engine.begin(before)).toMatchObject({ begun: "ended", outcome: "unknown" });
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("connections that are killed in a burst lose nothing that was acknowledged, and nothing begins twice", async () => {
    const { engine, deployment, delegation } = await openLog(storeAt(url));
    const other = storeAt(url)[engineOf];
    await other.attach(await deployment.identity());
    const bodies: string[] = [];
    const ended: string[] = [];
    let [acts, killed] = [0, 0];
    const act = async (on: Engine, name: string): Promise<void> => {
      const begin = deployment.begin(name, delegation, { repeatable: false });
      // As whoever resumes after a failure would: with the same id, until there is an answer.
      const begun = await insist(() => on.begin(begin));
      if (begun.begun !== "started") return;
      bodies.push(name);
      const finished = await on.finish(deployment.finish(begin, begun.placed!)).catch(() => undefined);
      if (finished?.finished === "ended") ended.push(name);
      if (++acts % 12 === 0) killed += await killAll();
    };
    await Promise.all(
      Array.from({ length: 16 }, async (_, worker) => {
        for (let i = 0; i < 15; i++) {
          const name = `${worker} ${i}`;
          await Promise.all([act(engine, name), act(other, name)]);
        }
      }),
    );
    expect(killed).toBeGreaterThan(15);
    expect(new Set(bodies).size).toBe(bodies.length);
    const records = await insist(() => engine.records({}));
    expect(new Set(records.map(({ action }) => action)).size).toBe(240);
    const done = new Set(records.filter(({ outcome }) => outcome === "done").map(({ action }) => action));
    expect(ended.filter((name) => !done.has(name))).toEqual([]);
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("a commit whose answer is lost is found, and one that never came is made again: once each", async () => {
    using line = await Proxy.to(server!.port);
    const { engine, deployment, delegation } = await openLog(storeAt(await atPort(line)));
    const through = line.answer;
    for (const comes of [true, false]) {
      let cuts = 0;
      const cut = (): undefined => {
        line.answer = through;
        cuts++;
        line.cut();
      };
      line.ask = (chunk) => {
        if (cuts > 0 || !chunk.includes(COMMIT)) return undefined;
        // What is handed on is done; its answer finds no one.
        if (comes) line.answer = cut;
        else cut();
        return comes ? undefined : Buffer.alloc(0);
      };
      const begins = Array.from({ length: 8 }, (_, i) =>
        deployment.begin(`${comes} ${i}`, delegation, { repeatable: false }),
      );
      const asked = await Promise.all(begins.map((begin) => engine.begin(begin)));
      expect(asked.map(({ begun }) => begun)).toEqual(Array(8).fill("started"));
      expect(cuts).toBe(1);
    }
    expect(await engine.records({})).toHaveLength(16);
    expect(await engine.entries(0, 100)).toHaveLength(18);
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("what was committed while its caller was told that it failed is unknown, and does not run", async () => {
    using line = await Proxy.to(server!.port);
    const { engine, deployment, delegation } = await openLog(storeAt(await atPort(line)));
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const read = deployment.begin("read", delegation);
    let gone = false;
    line.ask = (chunk) => {
      if (chunk.includes(COMMIT)) gone = true;
      return undefined;
    };
    line.answer = (chunk) => {
      if (!gone) return chunk;
      line.cut();
      return undefined;
    };
    const asked = await Promise.allSettled([engine.begin(begin), engine.begin(read)]);
    for (const answer of asked) expect(answer).toMatchObject({ status: "rejected", reason: FAILED });
    await expect.poll(() => sql(url, "SELECT FROM behest_action WHERE outcome IS NULL")).toHaveLength(2);
    gone = false;
    line.ask = () => undefined;
    line.answer = (chunk) => chunk;
    // Nobody has to ask: it is told by itself.
    await expect.poll(() => sql(url, "SELECT FROM behest_action WHERE outcome = 'unknown'")).toHaveLength(2);
    expect(await engine.begin(begin)).toEqual({ begun: "ended", outcome: "unknown", code: "lease_lapsed" });
    expect(await engine.begin(read)).toEqual({ begun: "retry", attempt: 2 });
    expect(await objections(engine, deployment)).toEqual([]);
  });

  test("a line that goes dead without a word is given up after 5 s, and another one is taken", async () => {
    using line = await Proxy.to(server!.port);
    const { engine, deployment, delegation } = await openLog(storeAt(await atPort(line)));
    line.still = true;
    const begin = deployment.begin("a", delegation);
    await expect(engine.begin(begin)).rejects.toMatchObject(FAILED);
    line.still = false;
    expect(await insist(() => engine.begin(begin))).toMatchObject({ begun: "started" });
    expect(await objections(engine, deployment)).toEqual([]);
  });

  async function atPort(line: Proxy): Promise<string> {
    return url.replace(`:${server!.port}/`, `:${line.port}/`);
  }
});
