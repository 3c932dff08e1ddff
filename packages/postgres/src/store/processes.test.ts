import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { chargeOf } from "../../../core/test/store/charges.ts";
import { testDeployment } from "../../../core/test/store/deployment.ts";
import { objections, openLog, placedOf } from "../../../core/test/store/open-log.ts";
import { RemoteStore } from "../../../core/test/store/remote.ts";
import type { Begin, BeginResult, Engine, Placed } from "../../../core/src/store/types.ts";
import { postgresServer, sql } from "../../test/server.ts";
import { postgresStore } from "./store.ts";

const server = await postgresServer();
afterAll(() => server?.[Symbol.asyncDispose](), 60_000);

let url: string;
const remotes: RemoteStore[] = [];
beforeEach(async () => void (url = await server!.url()));
afterEach(async () => {
  for (const { process } of remotes) process.kill("SIGKILL");
  await Promise.all(remotes.splice(0).map(({ ended }) => ended));
});

function remote(options?: object): RemoteStore {
  const child = join(import.meta.dirname, "../../test/child.ts");
  const made = new RemoteStore(url, options, undefined, child);
  remotes.push(made);
  return made;
}

type Acts = Pick<Engine, "begin" | "finish">;
const there = (other: RemoteStore): Acts => ({
  begin: (request) => other.call("begin", request),
  finish: (request) => other.call("finish", request),
});

/** Asks until the answer is another than `running`. */
async function settled(engine: Engine, begin: Begin): Promise<BeginResult> {
  for (;;) {
    const answer = await engine.begin(begin);
    if (answer.begun !== "running") return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const started = (answers: readonly BeginResult[]): number =>
  answers.filter(({ begun }) => begun === "started").length;

describe.runIf(server)("processes that share a store on PostgreSQL", () => {
  test("three write one log at once: one tree, no gap, and it verifies", async () => {
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const others = [remote(), remote()];
    for (const other of others) await other.call("attach", await deployment.identity());
    const act = async (name: string, on: Acts): Promise<Placed> => {
      const begin = deployment.begin(name, delegation);
      const placed = placedOf(await on.begin(begin));
      expect(await on.finish(deployment.finish(begin, placed))).toMatchObject({ finished: "ended" });
      return placed;
    };
    const all = [engine, ...others.map(there)];
    const placed = await Promise.all(
      Array.from({ length: 40 }, (_, i) => all.map((on, k) => act(`${k} ${i}`, on))).flat(),
    );
    expect(new Set(placed.map(({ index }) => index)).size).toBe(120);
    expect(await engine.entries(0, 1000)).toHaveLength(2 + 2 + 240);
    expect(await objections(engine, deployment)).toEqual([]);
    await others[0]!.call("close");
    await store.close();
  });

  test("of equal begins in two processes one starts; names, ids and budgets are one for both", async () => {
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const other = remote();
    await other.call("attach", await deployment.identity());
    const until = Date.now() + 60_000;
    for (let i = 0; i < 10; i++) {
      const begin = deployment.begin(`a${i}`, delegation);
      const answers = await Promise.all([engine.begin(begin), other.call("begin", begin)]);
      expect(answers.map(({ begun }) => begun).toSorted()).toEqual(["running", "started"]);
      const names = await Promise.all([
        engine.principal("iss", `${i}`),
        other.call("principal", "iss", `${i}`),
      ]);
      expect(new Set(names.map(({ pseudonym }) => pseudonym)).size).toBe(1);
      const spent = await Promise.all([engine.spend(`${i}`, until), other.call("spend", `${i}`, until)]);
      expect(spent.toSorted()).toEqual([false, true]);
    }
    const charges = [chargeOf("calls", "1", "100"), chargeOf("amount", "0.3", "9.9")];
    const answers = await Promise.all(
      Array.from({ length: 32 }, (_, i) => [
        engine.begin(deployment.begin(`here ${i}`, delegation, { charges })),
        other.call("begin", deployment.begin(`there ${i}`, delegation, { charges })),
      ]).flat(),
    );
    expect(started(answers)).toBe(33);
    expect(answers.filter((answer) => "charge" in answer && answer.charge === 1)).toHaveLength(31);
    expect(await engine.held(["amount"])).toEqual(["9.9"]);
    expect(await objections(engine, deployment)).toEqual([]);
    await store.close();
  });

  test("an approval is spent once, and a decision at one is judged at the other", async () => {
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const other = remote();
    await other.call("attach", await deployment.identity());
    const { entry } = deployment.denial("d", delegation);
    const approval = {
      kind: "ask",
      args: "args",
      principal: "p1",
      run: "r",
      sealed: new Uint8Array(1),
    } as const;
    for (let i = 0; i < 10; i++) {
      const id = `a${i}`;
      await engine.append({ entry, approval: { ...approval, id, expires: Date.now() + 60_000 } });
      const rests = [{ id, decisions: 1 }];
      const begin = deployment.begin(id, delegation, { repeatable: false, rests });
      const [early] = await Promise.all([
        engine.begin(begin),
        other.call("append", { entry, decides: [id] }),
      ]);
      const answers = await Promise.all([
        ...Array.from({ length: 4 }, () => engine.begin(begin)),
        ...Array.from({ length: 4 }, () => other.call("begin", begin)),
      ]);
      expect(started([early, ...answers])).toBe(1);
      expect(await other.call("approval", id)).toMatchObject({ spent: true, decisions: [{}] });
    }
    await store.close();
  });

  test("what a killed process had started is unknown when its lease is over, and not before", async () => {
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url));
    const killed = remote();
    await killed.call("attach", await deployment.identity());
    const charges = [chargeOf("c", "1", "3")];
    const [read, write] = [true, false].map((repeatable) =>
      deployment.begin(repeatable ? "read" : "write", delegation, { repeatable, charges }),
    ) as [Begin, Begin];
    for (const begin of [read, write])
      expect(await killed.call("begin", begin)).toMatchObject({ begun: "started" });
    killed.process.kill("SIGKILL");
    await killed.ended;
    expect(await engine.begin(write)).toEqual({ begun: "running" });
    await sql(
      url,
      "UPDATE behest_lease SET expires = 0 WHERE id = (SELECT lease FROM behest_action WHERE id = 'write')",
    );
    expect(await engine.begin(write)).toMatchObject({ begun: "ended", outcome: "unknown" });
    // Another one closes at its start what is left.
    const next = await openLog(postgresStore(url), deployment);
    expect((await engine.records({})).map(({ outcome }) => outcome)).toEqual(["unknown", "unknown"]);
    const again = deployment.begin("read", delegation, { attempt: 2, charges });
    expect(await next.engine.begin(again)).toMatchObject({ begun: "started" });
    expect(await engine.held(["c"])).toEqual(["2"]);
    expect(await objections(engine, deployment)).toEqual([]);
    await Promise.all([store.close(), next.store.close()]);
  });

  test("a process that slept past its lease comes too late with its outcome, and goes on", async () => {
    const lease = { lease: 3_000 };
    const { engine, deployment, delegation, store } = await openLog(postgresStore(url, lease));
    const sleeper = remote(lease);
    await sleeper.call("attach", await deployment.identity());
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const placed = placedOf(await sleeper.call("begin", begin));
    // A lease is kept while something runs under it.
    const expires = async (): Promise<number> => {
      const held = "SELECT expires::float8 FROM behest_lease l JOIN behest_action a ON a.lease = l.id";
      return (await sql<{ expires: number }>(url, held))[0]!.expires;
    };
    const first = await expires();
    await expect.poll(expires).toBeGreaterThan(first);
    expect(await engine.begin(begin)).toEqual({ begun: "running" });
    sleeper.process.kill("SIGSTOP");
    expect(await settled(engine, begin)).toMatchObject({ begun: "ended", outcome: "unknown" });
    sleeper.process.kill("SIGCONT");
    expect(await sleeper.call("finish", deployment.finish(begin, placed))).toEqual({ finished: "late" });
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
    const { engine, store } = await openLog(postgresStore(url), deployment);
    const done = await engine.records({ verdict: "permit" });
    const names = new Set(done.filter(({ outcome }) => outcome === "done").map(({ action }) => action));
    expect([...acknowledged].filter((name) => !names.has(name))).toEqual([]);
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
    const { engine, store } = await openLog(postgresStore(url), deployment);
    expect(await engine.records({})).toHaveLength(50);
    await store.close();
  });
});
