import { verifyLog } from "@behest/provenance";
import { expect, test } from "vitest";
import { type Engine, type Placed, type Store, engine as engineOf } from "../../src/store/types.ts";
import { type TestDeployment, testDeployment } from "./deployment.ts";

/** An attached store with one root delegation in its log. */
export interface OpenLog {
  readonly store: Store;
  readonly engine: Engine;
  readonly deployment: TestDeployment;
  readonly delegation: Placed;
}

export async function openLog(store: Store, made?: TestDeployment): Promise<OpenLog> {
  const deployment = made ?? (await testDeployment());
  const engine = store[engineOf];
  await engine.attach(await deployment.identity());
  return { store, engine, deployment, delegation: await engine.append(deployment.root()) };
}

/** Every failed or missing thing that a verifier finds in the log; the pinned owner is all it is given. */
export async function objections(engine: Engine, deployment: TestDeployment): Promise<readonly string[]> {
  const entries = await engine.entries(0, 1_000_000);
  const report = await verifyLog({ entries, checkpoint: await engine.checkpoint(), owner: deployment.owner });
  expect(report.size).toBe(entries.length);
  return report.findings
    .filter(({ state }) => state !== "not_shown")
    .map(({ code, index }) => `${code} at ${index}`);
}

/** What every store must do; at the end of each test the log must verify. */
export function storeConformance(name: string, make: () => Store | Promise<Store>): void {
  const behaviour = (title: string, body: (log: OpenLog) => Promise<void>): void =>
    test(`${name}: ${title}`, async () => {
      const log = await openLog(await make());
      try {
        await body(log);
        expect(await objections(log.engine, log.deployment)).toEqual([]);
      } finally {
        await log.store.close();
      }
    });

  behaviour("an action begins once, ends once, and is told again with its result", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation);
    const begun = await engine.begin(begin);
    expect(begun).toMatchObject({ begun: "started", placed: { index: 2 } });
    expect(await engine.begin(begin)).toEqual({ begun: "running" });
    const sealed = new Uint8Array([1, 2, 3]);
    const finish = deployment.finish(begin, placedOf(begun), {
      result: "r",
      content: [{ id: "r", principal: "p1", sealed }],
    });
    expect(await engine.finish(finish)).toMatchObject({ finished: "ended", placed: { index: 3 } });
    const told = await engine.begin(begin);
    expect(told).toEqual({ begun: "ended", outcome: "done", code: "ok", result: sealed });
    expect(await engine.finish(finish)).toEqual({ finished: "late" });
    expect(await engine.entries(0, 10)).toHaveLength(4);
  });

  behaviour(
    "the same id with other arguments is refused in every state",
    async ({ engine, deployment, delegation }) => {
      const begin = deployment.begin("a", delegation);
      const other = { ...begin, args: "others" };
      const refused = { begun: "refused", code: "action_conflict" };
      const begun = await engine.begin(begin);
      expect(await engine.begin(other)).toEqual(refused);
      await engine.finish(deployment.finish(begin, placedOf(begun), { outcome: "unknown" }));
      expect(await engine.begin(other)).toEqual(refused);
      expect(await engine.begin({ ...other, expires: 0 })).toEqual(refused);
      expect(await engine.entries(0, 10)).toHaveLength(4);
    },
  );

  behaviour(
    "a read that ended as unknown starts again, as the next attempt",
    async ({ engine, deployment, delegation }) => {
      const first = deployment.begin("a", delegation);
      await engine.finish(
        deployment.finish(first, placedOf(await engine.begin(first)), { outcome: "unknown" }),
      );
      expect(await engine.begin(first)).toEqual({ begun: "retry", attempt: 2 });
      const second = deployment.begin("a", delegation, { attempt: 2 });
      const begun = await engine.begin(second);
      expect(begun).toMatchObject({ begun: "started" });
      expect(await engine.finish(deployment.finish(first, placedOf(begun)))).toEqual({ finished: "late" });
      expect(await engine.finish(deployment.finish(second, placedOf(begun)))).toMatchObject({
        finished: "ended",
      });
      expect(
        (await engine.records({})).map(({ attempt, index, outcome, ended }) => [
          attempt,
          index,
          outcome,
          ended,
        ]),
      ).toEqual([
        [1, 2, "unknown", 3],
        [2, 4, "done", 5],
      ]);
    },
  );

  behaviour("what is no read never starts again, whatever a later request calls it", async (log) => {
    const { engine, deployment, delegation } = log;
    for (const outcome of ["done", "failed", "aborted", "unknown"] as const) {
      const begin = deployment.begin(outcome, delegation, { repeatable: false });
      await engine.finish(deployment.finish(begin, placedOf(await engine.begin(begin)), { outcome }));
      for (const repeatable of [false, true])
        for (const attempt of [1, 2])
          expect(await engine.begin({ ...begin, repeatable, attempt })).toMatchObject({
            begun: "ended",
            outcome,
          });
    }
  });

  behaviour("a first attempt is the first", async ({ engine, deployment, delegation }) => {
    const second = deployment.begin("a", delegation, { attempt: 2 });
    expect(await engine.begin(second)).toEqual({ begun: "retry", attempt: 1 });
  });

  behaviour("nothing starts under an expired delegation; what has ended is still told", async (log) => {
    const { engine, deployment, delegation } = log;
    const expired = deployment.begin("late", delegation, { expires: Date.now() - 1 });
    expect(await engine.begin(expired)).toEqual({ begun: "refused", code: "delegation_expired" });
    const begin = deployment.begin("a", delegation);
    await engine.finish(deployment.finish(begin, placedOf(await engine.begin(begin))));
    expect(await engine.begin({ ...begin, expires: Date.now() - 1 })).toMatchObject({ begun: "ended" });
    expect(await engine.entries(0, 10)).toHaveLength(4);
  });

  behaviour(
    "an attempt that was never begun cannot be finished",
    async ({ engine, deployment, delegation }) => {
      const begin = deployment.begin("a", delegation);
      expect(await engine.finish(deployment.finish(begin, delegation))).toEqual({ finished: "late" });
    },
  );

  behaviour("a spawn begins and ends without entries, and replays", async ({ engine }) => {
    const spawn = { action: "s", args: "x", attempt: 1, repeatable: true, expires: Date.now() + 60_000 };
    expect(await engine.begin(spawn)).toEqual({ begun: "started" });
    expect(await engine.begin(spawn)).toEqual({ begun: "running" });
    const unknown = { action: "s", attempt: 1, outcome: "unknown", code: "aborted" } as const;
    expect(await engine.finish(unknown)).toEqual({ finished: "ended" });
    expect(await engine.begin(spawn)).toEqual({ begun: "retry", attempt: 2 });
    expect(await engine.begin({ ...spawn, attempt: 2 })).toEqual({ begun: "started" });
    const sealed = new Uint8Array([5]);
    const answer = { result: "r", content: [{ id: "r", principal: "p1", sealed }] };
    expect(await engine.finish({ ...unknown, attempt: 2, outcome: "done", ...answer })).toEqual({
      finished: "ended",
    });
    expect(await engine.begin(spawn)).toEqual({
      begun: "ended",
      outcome: "done",
      code: "aborted",
      result: sealed,
    });
    expect(await engine.entries(0, 10)).toHaveLength(2);
  });

  behaviour("a delegation is stored once", async ({ engine, deployment, delegation }) => {
    const again = await engine.append(deployment.root());
    expect(again).toMatchObject({ index: delegation.index, hash: delegation.hash, again: true });
    const { entry: _, ...row } = { ...deployment.root(), ...deployment.root().delegation };
    const stored = {
      index: delegation.index,
      hash: delegation.hash,
      jti: "root",
      leaf: row.delegation!.leaf,
    };
    expect(await engine.delegation("root")).toMatchObject(stored);
    expect(await engine.delegationOf(row.delegation!.leaf)).toMatchObject(stored);
    expect(await engine.delegation("nobody")).toBeUndefined();
    expect(await engine.entries(0, 10)).toHaveLength(2);
  });

  behaviour("a spawned jti is taken, for another token and for another request", async (log) => {
    const { engine, deployment, delegation } = log;
    const spawned = { leaf: "child", jti: "j", principal: "p1", request: "r", sealed: new Uint8Array(1) };
    const { entry } = deployment.interaction(delegation, "t");
    const place = await engine.append({ entry, delegation: spawned });
    expect(await engine.append({ entry, delegation: spawned })).toMatchObject({
      index: place.index,
      again: true,
    });
    const conflict = { code: "action_conflict" };
    await expect(engine.append({ entry, delegation: { ...spawned, leaf: "x" } })).rejects.toMatchObject(
      conflict,
    );
    await expect(engine.append({ entry, delegation: { ...spawned, request: "x" } })).rejects.toMatchObject(
      conflict,
    );
    expect(await engine.entries(0, 10)).toHaveLength(3);
  });

  behaviour("an issuer who chooses a spawned jti neither takes nor blocks it", async (log) => {
    const { engine, deployment, delegation } = log;
    const { entry } = deployment.interaction(delegation, "t");
    const root = { leaf: "rogue", jti: "j", principal: "p2", sealed: new Uint8Array(1) };
    const child = { leaf: "child", jti: "j", principal: "p1", request: "r", sealed: new Uint8Array(2) };
    await engine.append({ entry, delegation: root });
    expect(await engine.append({ entry, delegation: child })).not.toHaveProperty("again");
    expect(await engine.append({ entry, delegation: { ...root, leaf: "rogue 2" } })).not.toHaveProperty(
      "again",
    );
    expect(await engine.delegation("j")).toMatchObject({ leaf: "child" });
    expect(await engine.delegationOf("rogue")).toMatchObject({ leaf: "rogue", principal: "p2" });
  });

  behaviour("a denial that repeats is recorded once", async ({ engine, deployment, delegation }) => {
    const first = await engine.append(deployment.denial("a", delegation));
    const [second, third] = await Promise.all([
      engine.append(deployment.denial("a", delegation)),
      engine.append(deployment.denial("a", delegation)),
    ]);
    expect(second).toMatchObject({ index: first.index, hash: first.hash, again: true });
    expect(third).toEqual(second);
    expect(await engine.append(deployment.denial("b", delegation))).not.toHaveProperty("again");
    expect((await engine.records({ verdict: "deny" })).map(({ action }) => action)).toEqual(["a", "b"]);
  });

  behaviour("the first recording of a model turn stays until its run is forgotten", async (log) => {
    const { engine, deployment, delegation } = log;
    const first = deployment.interaction(delegation, "t");
    const placed = await engine.append(first);
    const second = { ...first, journal: { ...first.journal!, sealed: new Uint8Array([9]) } };
    expect(await engine.append(second)).toMatchObject({ index: placed.index, again: true });
    const turn = await engine.recall("run", "t");
    expect(turn?.hash).toBe(placed.hash);
    expect(Buffer.from(turn!.sealed).toString()).toBe("t");
    await engine.append(deployment.interaction(delegation, "u"));
    await engine.forget("another");
    expect(await engine.recall("run", "u")).toBeDefined();
    await engine.forget("run");
    expect(await engine.recall("run", "t")).toBeUndefined();
    expect(await engine.recall("run", "u")).toBeUndefined();
    expect(await engine.append(second)).not.toHaveProperty("again");
  });

  behaviour("content and turns are gone at their time", async ({ engine, deployment, delegation }) => {
    const turn = deployment.interaction(delegation, "t");
    const sealed = new Uint8Array([7]);
    const past = Date.now() - 1;
    const kept = [
      { id: "a", principal: "p1", sealed },
      { id: "b", principal: "p1", sealed, until: Date.now() + 60_000 },
    ];
    const content = [...kept, { id: "past", principal: "p1", sealed, until: past }];
    const { index } = await engine.append({ ...turn, journal: { ...turn.journal!, until: past }, content });
    expect(await engine.recall("run", "t")).toBeUndefined();
    expect(await engine.content(index)).toEqual(kept);
    expect(await engine.content(index + 1)).toEqual([]);
    // Its time over, the turn makes room for another.
    expect(
      await engine.append({ ...turn, content: [{ ...kept[0]!, sealed: new Uint8Array([8]) }] }),
    ).not.toHaveProperty("again");
    expect(await engine.content(index)).toEqual(kept);
  });

  behaviour("a principal has one random name, both ways", async ({ engine }) => {
    const [a, again] = await Promise.all([
      engine.principal("iss", "alice"),
      engine.principal("iss", "alice"),
    ]);
    expect(again).toEqual(a);
    expect(await engine.principal("iss", "alice")).toEqual(a);
    expect(a.key).toHaveLength(32);
    // Pairs, not texts put together.
    const others = [await engine.principal("iss", "bob"), await engine.principal("issa", "lice")];
    expect(new Set([a, ...others].map((row) => row.pseudonym)).size).toBe(3);
    expect(await engine.subject(a.pseudonym)).toEqual({ issuer: "iss", subject: "alice", key: a.key });
    expect(await engine.subject("nobody")).toBeUndefined();
  });

  behaviour("records are found by what they are, in log order, the latest within a limit", async (log) => {
    const { engine, deployment, delegation } = log;
    const add = async (action: string, session: string, tool: string, at: number) => {
      const denial = deployment.denial(action, delegation);
      await engine.append({ ...denial, record: { ...denial.record!, session, tool, at } });
    };
    await add("1", "s", "pay", 10);
    await add("2", "s.c", "pay", 20);
    await add("3", "s/c", "read", 30);
    await add("4", "sx", "read", 40);
    const found = async (filter: Parameters<Engine["records"]>[0]) =>
      (await engine.records(filter)).map(({ action }) => action).join("");
    expect(await found({})).toBe("1234");
    expect(await found({ session: "s" })).toBe("12");
    expect(await found({ tool: "pay", principal: "p1" })).toBe("12");
    expect(await found({ principal: "p2" })).toBe("");
    expect(await found({ since: 20, until: 30 })).toBe("23");
    expect(await found({ limit: 3 })).toBe("234");
    expect(await found({ tool: "read", limit: 1 })).toBe("4");
    expect(await found({ limit: 0 })).toBe("");
    expect(await found({ tool: "pay' OR 1=1 --" })).toBe("");
  });

  behaviour("how tools were met is remembered", async ({ engine }) => {
    engine.seen([{ tool: "pay", kind: "wrapped", declared: true, at: 1 }]);
    engine.seen([
      { tool: "pay", kind: "wrapped", declared: false, at: 2 },
      { tool: "pay", kind: "unwrapped", declared: false, at: 3 },
    ]);
    expect(new Set(await engine.coverage())).toEqual(
      new Set([
        { tool: "pay", kind: "wrapped", declared: false, at: 2 },
        { tool: "pay", kind: "unwrapped", declared: false, at: 3 },
      ]),
    );
  });

  behaviour("64 actions at once lie in the order of their calls, under heads that grow", async (log) => {
    const { engine, deployment, delegation } = log;
    const begins = Array.from({ length: 64 }, (_, i) => deployment.begin(`a${i}`, delegation));
    const placed = (await Promise.all(begins.map((begin) => engine.begin(begin)))).map(placedOf);
    expect(placed.map(({ index }) => index)).toEqual(begins.map((_, i) => i + 2));
    const finished = await Promise.all(
      begins.map((begin, i) => engine.finish(deployment.finish(begin, placed[i]!))),
    );
    expect(finished.every(({ finished }) => finished === "ended")).toBe(true);
    const sizes = placed.map(({ head }) => Number(head.split(":")[0]));
    expect(sizes.every((size, i) => size > placed[i]!.index && size >= (sizes[i - 1] ?? 0))).toBe(true);
    expect(await engine.entries(1, 2)).toEqual((await engine.entries(0, 200)).slice(1, 3));
  });

  behaviour("of equal begins at once one starts", async ({ engine, deployment, delegation }) => {
    const begin = deployment.begin("a", delegation);
    const answers = await Promise.all(Array.from({ length: 16 }, () => engine.begin(begin)));
    expect(answers.map(({ begun }) => begun).toSorted()).toEqual([...Array(15).fill("running"), "started"]);
  });

  behaviour("a request that is refused takes none of its neighbours along", async (log) => {
    const { engine, deployment, delegation } = log;
    const taken = { leaf: "c", jti: "j", principal: "p1", request: "r", sealed: new Uint8Array(1) };
    const { entry } = deployment.interaction(delegation, "t");
    await engine.append({ entry, delegation: taken });
    const answers = await Promise.allSettled([
      engine.begin(deployment.begin("a", delegation)),
      engine.append({ entry, delegation: { ...taken, request: "x" } }),
      engine.begin(deployment.begin("b", delegation)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await engine.entries(0, 10)).toHaveLength(5);
  });

  test(`${name}: nothing is written before attach or after close, and closing twice is closing once`, async () => {
    const store = await make();
    const deployment = await testDeployment();
    const engine = store[engineOf];
    const failed = { code: "store_failed" };
    await expect(engine.append(deployment.root())).rejects.toMatchObject(failed);
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: "store_missing" });
    const { delegation } = await openLog(store, deployment);
    await expect(engine.attach(await deployment.identity())).rejects.toMatchObject(failed);
    const last = engine.begin(deployment.begin("a", delegation));
    await Promise.all([store.close(), store.close()]);
    expect(await last).toMatchObject({ begun: "started" });
    await store.close();
    await expect(engine.begin(deployment.begin("b", delegation))).rejects.toMatchObject(failed);
    await expect(engine.principal("iss", "alice")).rejects.toMatchObject(failed);
  });

  test(`${name}: a certificate of another key, or by nobody the manifest names, opens nothing`, async () => {
    const deployment = await testDeployment();
    const other = await testDeployment();
    const [mine, mine2, theirs] = [
      await deployment.identity(),
      await deployment.identity(),
      await other.identity(),
    ];
    for (const certificate of [mine2.certificate, theirs.certificate, "x"]) {
      const store = await make();
      const attached = store[engineOf].attach({ ...mine, certificate });
      await expect(attached).rejects.toMatchObject({ code: "trust_invalid" });
      await store.close();
    }
  });
}

export function placedOf(answer: object): Placed {
  const { placed } = answer as { placed?: Placed };
  if (!placed) throw new Error(`not started: ${JSON.stringify(answer)}`);
  return placed;
}
