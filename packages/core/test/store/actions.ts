import { expect } from "vitest";
import { type Behaviour, placedOf } from "./open-log.ts";

/** How attempts begin and end. */
export function actionConformance(behaviour: Behaviour): void {
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
    "what was given the same and parsed to something else is told, and never started",
    async (log) => {
      const { engine, deployment, delegation } = log;
      for (const outcome of ["done", "failed", "unknown"] as const) {
        const begin = deployment.begin(outcome, delegation, { given: "raw" });
        const reparsed = { ...begin, args: "others" };
        const begun = await engine.begin(begin);
        expect(await engine.begin(reparsed)).toEqual({ begun: "running" });
        await engine.finish(deployment.finish(begin, placedOf(begun), { outcome }));
        // Also a read that would be tried again with the arguments that it had.
        for (const attempt of [1, 2])
          expect(await engine.begin({ ...reparsed, attempt })).toMatchObject({ begun: "ended", outcome });
        const { given: _, ...unknown } = reparsed;
        for (const other of [unknown, { ...reparsed, given: "else" }])
          expect(await engine.begin(other)).toEqual({ begun: "refused", code: "action_conflict" });
      }
      const first = deployment.begin("unknown origin", delegation);
      await engine.begin(first);
      expect(await engine.begin({ ...first, args: "others", given: "raw" })).toEqual({
        begun: "refused",
        code: "action_conflict",
      });
      expect(await engine.entries(0, 20)).toHaveLength(9);
    },
  );

  behaviour("a read that did not end well starts again; one that is done does not", async (log) => {
    const { engine, deployment, delegation } = log;
    for (const outcome of ["failed", "aborted", "unknown", "done"] as const) {
      const begin = deployment.begin(outcome, delegation);
      await engine.finish(deployment.finish(begin, placedOf(await engine.begin(begin)), { outcome }));
      expect(await engine.begin(deployment.begin(outcome, delegation, { attempt: 2 }))).toMatchObject({
        begun: outcome === "done" ? "ended" : "started",
      });
    }
  });

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
}
