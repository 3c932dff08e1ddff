import { expect, test } from "vitest";
import type { Begin, BeginResult, Engine, Placed, Store } from "../../src/store/types.ts";
import { chargeOf } from "./charges.ts";
import { testDeployment } from "./deployment.ts";
import { objections, openLog, placedOf } from "./open-log.ts";
import type { RemoteStore } from "./remote.ts";

type Acts = Pick<Engine, "begin" | "finish">;

/** Asks until the answer is another than `running`. */
export async function settled(engine: Engine, begin: Begin): Promise<BeginResult> {
  for (;;) {
    const answer = await engine.begin(begin);
    if (answer.begun !== "running") return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const started = (answers: readonly BeginResult[]): number =>
  answers.filter(({ begun }) => begun === "started").length;

/** What every store must do that several processes share. `make`, `remote`: one on the same log, here and in a process of its own. */
export function processConformance(make: () => Store, remote: () => RemoteStore): void {
  test("three processes write one log at once: one tree, no gap, and it verifies", async () => {
    const { engine, deployment, delegation, store } = await openLog(make());
    const others = [remote(), remote()];
    for (const other of others) await other.call("attach", await deployment.identity());
    const act = async (name: string, on: Acts): Promise<Placed> => {
      const begin = deployment.begin(name, delegation);
      const placed = placedOf(await on.begin(begin));
      expect(await on.finish(deployment.finish(begin, placed))).toMatchObject({ finished: "ended" });
      return placed;
    };
    const there = (other: RemoteStore): Acts => ({
      begin: (request) => other.call("begin", request),
      finish: (request) => other.call("finish", request),
    });
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

  test("of equal begins in two processes one starts; a principal has one name in both", async () => {
    const { engine, deployment, delegation, store } = await openLog(make());
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
    const { engine, deployment, store } = await openLog(make());
    const other = remote();
    await other.call("attach", await deployment.identity());
    const until = Date.now() + 3_600_000;
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
    const { engine, deployment, delegation, store } = await openLog(make());
    const other = remote();
    await other.call("attach", await deployment.identity());
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
    expect(await engine.records({})).toHaveLength(33);
    expect(await objections(engine, deployment)).toEqual([]);
    await store.close();
  });

  test("an approval is spent once, and a decision at one is judged at the other", async () => {
    const { engine, deployment, delegation, store } = await openLog(make());
    const other = remote();
    await other.call("attach", await deployment.identity());
    const { entry } = deployment.denial("d", delegation);
    const sealed = new Uint8Array(1);
    const approval = { kind: "ask", args: "args", principal: "p1", run: "r", sealed } as const;
    for (let i = 0; i < 10; i++) {
      const id = `a${i}`;
      await engine.append({ entry, approval: { ...approval, id, expires: Date.now() + 3_600_000 } });
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
    const { engine, store } = await openLog(make(), deployment);
    const records = await engine.records({ verdict: "permit" });
    const done = new Set(records.filter(({ outcome }) => outcome === "done").map(({ action }) => action));
    expect([...acknowledged].filter((name) => !done.has(name))).toEqual([]);
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
    const { engine, store } = await openLog(make(), deployment);
    expect(await engine.records({})).toHaveLength(50);
    await store.close();
  });
}
