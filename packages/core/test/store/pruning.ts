import { sha256Text } from "@behest/jws";
import type { Manifest } from "@behest/provenance";
import { expect } from "vitest";
import { prune } from "../../src/prune/prune.ts";
import { requestOf } from "../../src/prune/batch.ts";
import { HOLD } from "../../src/store/erasure.ts";
import type { Prune } from "../../src/store/pruning.ts";
import type { Engine } from "../../src/store/types.ts";
import { chargeOf } from "./charges.ts";
import { erasing, erasureDraft } from "./erasure.ts";
import { type Behaviour, type OpenLog, placedOf } from "./open-log.ts";

const DAY = 86_400_000;
const sealed = new Uint8Array([1, 2, 3]);
const content = (id: string) => [{ id, principal: "p1", sealed }];

/** Of these entries, as if they were old; `change`: what the request says otherwise. */
export async function pruning(
  engine: Engine,
  indexes: readonly number[],
  change: Partial<Prune> = {},
): Promise<Prune> {
  const now = Date.now();
  const by = { before: now + 1_000, retention: 0, holds: [], now };
  const request = await requestOf(engine, indexes, by);
  const seen = (await engine.entries(0, 10_000)).length;
  return { ...request!.prune, before: now - 2 * DAY, seen, ...change };
}

/** An action from its begin at to its end. */
async function acted(
  { engine, deployment, delegation }: OpenLog,
  action: string,
  outcome: "done" | "failed",
) {
  const begin = deployment.begin(action, delegation, {
    content: content(`args-${action}`),
    charges: [chargeOf(`counter-${action}`, "12.50", "100")],
  });
  const begun = placedOf(await engine.begin(begin));
  const result = `result-${action}`;
  const ended = placedOf(
    await engine.finish(deployment.finish(begin, begun, { outcome, content: content(result), result })),
  );
  return { begin, indexes: [begun.index, ended.index], begun };
}

/** What pruning destroys, and what it leaves. Each on a log that keeps nothing for longer than it is needed. */
export function pruningConformance(behaviour: Behaviour, swept: boolean): void {
  behaviour("pruning takes the text and what lies beside it, and leaves the tree", async (log) => {
    const { engine, deployment, delegation } = log;
    const old = await acted(log, "old", "done");
    const turn = await engine.append({
      ...deployment.interaction(delegation, "t"),
      journal: undefined!,
      principal: "p1",
    });
    const kept = await acted(log, "kept", "done");
    const size = kept.indexes[1]! + 1;
    const places = Array.from({ length: size }, (_, index) => ({ level: 0, index }));
    const hashes = await engine.subtrees(places);
    const before = await engine.entries(0, 100);

    const done = await engine.prune(await pruning(engine, [...old.indexes, turn.index]));
    expect(done).toMatchObject({ pruned: "done", swept, placed: { index: size } });

    const texts = await engine.entries(0, 100);
    expect(texts).toHaveLength(size + 1);
    for (const [index, text] of before.entries())
      expect(texts[index]).toBe([...old.indexes, turn.index].includes(index) ? "" : text);
    expect(await engine.subtrees(places)).toEqual(hashes);
    expect((await engine.records({})).map(({ action }) => action)).toEqual(["kept"]);
    for (const index of old.indexes) expect(await engine.content(index)).toEqual([]);
    for (const index of kept.indexes) expect(await engine.content(index)).toHaveLength(1);
    expect(await engine.held(["counter-old", "counter-kept"])).toEqual(["12.5", "12.5"]);
    expect(await engine.recorded("pruned:")).toEqual([size]);
    await acted(log, "next", "done");
  });

  behaviour("an action of which an attempt was pruned ran, and does not run again", async (log) => {
    const { engine } = log;
    const done = await acted(log, "a", "done");
    const failed = await acted(log, "b", "failed");
    await engine.prune(await pruning(engine, [...done.indexes, ...failed.indexes]));
    for (const [{ begin }, outcome] of [
      [done, "done"],
      [failed, "failed"],
    ] as const) {
      expect(await engine.begin(begin)).toEqual({ begun: "ended", outcome, code: "ok" });
      expect(await engine.begin({ ...begin, attempt: 2 })).toMatchObject({ begun: "ended", outcome });
      expect(await engine.begin({ ...begin, args: "others" })).toMatchObject({ code: "action_conflict" });
    }
    expect(await engine.hasBegun("b")).toBe(true);
  });

  behaviour(
    "nothing is written under a delegation that was pruned, nor after a turn that was",
    async (log) => {
      const { engine, deployment, delegation } = log;
      const { journal, ...turn } = deployment.interaction(delegation, "t");
      const first = await engine.append(turn);
      await engine.prune(await pruning(engine, [first.index]));
      const refused = { code: "entry_pruned" };
      const denial = deployment.denial("a", delegation);
      const after = { ...denial, record: { ...denial.record!, interaction: first.index } };
      await expect(engine.append(after)).rejects.toMatchObject(refused);
      await engine.prune(await pruning(engine, [delegation.index]));
      const { leaf } = deployment.root().delegation!;
      const size = (await engine.entries(0, 100)).length;
      const answers = await Promise.allSettled([
        engine.append(denial),
        engine.append({ ...turn, under: leaf }),
        engine.append({ ...turn, journal: journal!, under: leaf }),
        engine.append(deployment.root()),
        engine.begin(deployment.begin("b", delegation)),
        engine.spend("a neighbour", Date.now() + DAY),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([...Array(5).fill("rejected"), "fulfilled"]);
      for (const answer of answers.slice(0, 5)) expect(answer).toMatchObject({ reason: refused });
      expect(await engine.entries(0, 100)).toHaveLength(size);
      expect(await engine.delegationOf(leaf)).toBeUndefined();
      expect(await engine.delegations()).toEqual([]);
    },
  );

  behaviour("a spawned delegation that was pruned is not made again", async (log) => {
    const { engine, deployment } = log;
    const root = deployment.root();
    const request = await pruning(engine, [log.delegation.index]);
    const { leaf } = root.delegation!;
    await engine.prune({ ...request, delegations: [{ leaf, jti: "spawned" }], spawns: ["spawn"] });
    const delegation = { ...root.delegation!, leaf: sha256Text("x"), jti: "spawned" };
    await expect(
      engine.append({ ...root, delegation: { ...delegation, request: "r" } }),
    ).rejects.toMatchObject({ code: "entry_pruned" });
    // Issuers choose the jti of a root freely.
    await engine.append({ ...root, delegation });
  });

  behaviour(
    "a denial that was pruned is recorded when it happens again",
    async ({ engine, deployment, delegation }) => {
      const denial = deployment.denial("a", delegation);
      const { index } = await engine.append(denial);
      expect(await engine.append(denial)).toMatchObject({ index, again: true });
      await engine.prune(await pruning(engine, [index]));
      const anew = await engine.append(denial);
      expect(anew).not.toHaveProperty("again");
      expect(await engine.append(denial)).toMatchObject({ index: anew.index, again: true });
      expect(await engine.records({})).toHaveLength(1);
    },
  );

  behaviour("what is young is not pruned, by the store's own time", async (log) => {
    const { engine } = log;
    const { indexes } = await acted(log, "a", "done");
    const now = Date.now();
    const request = await pruning(engine, indexes, { before: now - 2 * DAY, retention: 3 * DAY });
    expect(await engine.prune(request)).toEqual({
      pruned: "refused",
      code: "retained",
      until: now - 2 * DAY + 4 * DAY,
    });
    expect(await engine.prune({ ...request, before: now - DAY + 60_000, retention: 0 })).toMatchObject({
      code: "retained",
    });
    expect(await engine.entries(0, 100)).not.toContain("");
  });

  behaviour(
    "a process whose clock is ahead sees what would go, and the store lets nothing go",
    async (log) => {
      const { engine } = log;
      await acted(log, "a", "done");
      const manifest = { retention: 0 } as Manifest;
      const ahead = { engine, manifest, clock: () => Date.now() + 10 * DAY };
      const before = Date.now() + 1_000;
      const { counts } = await prune(ahead, { before, dryRun: true });
      expect(counts).toEqual({ action: 1, outcome: 1, delegation: 0, interaction: 0 });
      await expect(prune(ahead, { before })).rejects.toMatchObject({ code: "retained" });
      expect(await engine.entries(0, 100)).not.toContain("");
    },
  );

  behaviour("two that prune the same prune it once", async (log) => {
    const { engine } = log;
    const { indexes } = await acted(log, "a", "done");
    const request = await pruning(engine, indexes);
    const answers = await Promise.all([engine.prune(request), engine.prune(request)]);
    expect(answers.map(({ pruned }) => pruned)).toEqual(["done", "again"]);
    expect(await engine.recorded("pruned:")).toHaveLength(1);
  });

  behaviour("what came since, and rests on what is to go, keeps it", async (log) => {
    const { engine, deployment, delegation } = log;
    const read = await acted(log, "a", "failed");
    const root = await pruning(engine, [delegation.index]);
    const attempt = await pruning(engine, read.indexes);
    const hold = await pruning(engine, read.indexes);
    // Another attempt of the same read, under the same delegation.
    const begun = placedOf(await engine.begin(deployment.begin("a", delegation, { attempt: 2 })));
    for (const request of [root, attempt]) expect(await engine.prune(request)).toEqual({ pruned: "again" });
    await engine.finish(deployment.finish({ ...read.begin, attempt: 2 }, begun));
    const entry = erasureDraft({ kind: "hold", principals: ["p1"] });
    const { index } = await engine.append({ entry, once: HOLD + sha256Text(entry) });
    const other = await engine.append(deployment.denial("b", delegation));
    const later = await pruning(engine, [other.index]);
    expect(await engine.prune(later)).toEqual({ pruned: "again" });
    expect(await engine.prune(hold)).toEqual({ pruned: "again" });
    expect(await engine.entries(0, 100)).not.toContain("");
    expect(await engine.prune({ ...later, holds: [index] })).toMatchObject({ pruned: "done" });
  });

  behaviour(
    "which turns may be recalled is known by their entries",
    async ({ engine, deployment, delegation }) => {
      const turn = deployment.interaction(delegation, "t");
      const { index } = await engine.append(turn);
      const over = { ...turn.journal!, key: "u", until: Date.now() - 1 };
      await engine.append({ ...turn, journal: over });
      expect(await engine.recallable(index + 100)).toEqual([index]);
      expect(await engine.recallable(index)).toEqual([]);
      await engine.forget("run");
      expect(await engine.recallable(index + 100)).toEqual([]);
    },
  );

  behaviour("whose entries were pruned can be erased, and whoever was erased can be pruned", async (log) => {
    const { engine } = log;
    await engine.register({ issuer: "iss", subject: "alice", pseudonym: "p1", key: new Uint8Array(32) });
    const [first, second] = [await acted(log, "a", "done"), await acted(log, "b", "done")];
    await engine.prune(await pruning(engine, second.indexes));
    const { early: _, ...patient } = erasing({ retention: 0 });
    expect(await engine.erase(patient)).toMatchObject({ erased: "done" });
    expect(await engine.prune(await pruning(engine, first.indexes))).toMatchObject({ pruned: "done" });
    expect(await engine.records({})).toEqual([]);
  });
}
