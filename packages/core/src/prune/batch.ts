import { type Json, canonical, toBase64url } from "@behest/jws";
import { type PrunedType, type PruningEntry, parseEntry, parsePayload } from "@behest/provenance";
import { damaged } from "../store/agree.ts";
import type { Prune, Range } from "../store/pruning.ts";
import type { Engine } from "../store/types.ts";

/** Entries of one transaction, at most, but for the outcomes of the last action. */
const MOST = 1_000;

/** What a sieve has left over, as many transactions; an outcome is never without its action. */
export function* batches(order: readonly number[]): Generator<number[]> {
  let batch: number[] = [];
  for (const one of order) {
    if (one >= 0 && batch.length >= MOST) {
      yield batch.toSorted((a, b) => a - b);
      batch = [];
    }
    batch.push(one < 0 ? -1 - one : one);
  }
  if (batch.length > 0) yield batch.toSorted((a, b) => a - b);
}

interface Batch {
  readonly prune: Omit<Prune, "seen">;
  readonly counts: PruningEntry["counts"];
}

/** What a store is asked for; `batch`: indexes in log order. Undefined where somebody else has pruned one. */
export async function requestOf(
  engine: Engine,
  batch: readonly number[],
  by: Pick<Prune, "before" | "retention" | "holds"> & { readonly now: number },
): Promise<Batch | undefined> {
  const { before, retention, holds, now } = by;
  const ranges = rangesOf(batch);
  const leaves = await engine.subtrees(batch.map((index) => ({ level: 0, index })));
  const hashes = leaves.map(toBase64url);
  const counts: { -readonly [type in PrunedType]?: number } = {};
  const actions: string[] = [];
  const spawns: string[] = [];
  const delegations: { leaf: string; jti?: string }[] = [];
  let at = 0;
  for (const [first, last] of ranges)
    for (const jws of await engine.entries(first, last - first + 1)) {
      if (jws === "") return undefined;
      const { hash, payload: text } = parseEntry(jws);
      if (hash !== hashes[at]) throw damaged(batch[at]!);
      at++;
      const payload = parsePayload(text);
      const type = payload.type as PrunedType;
      counts[type] = (counts[type] ?? 0) + 1;
      if (payload.type === "action" && payload.attempt > 0) actions.push(payload.action);
      if (payload.type !== "delegation") continue;
      const { leaf, jti, spawn } = payload;
      if (spawn !== undefined) spawns.push(spawn);
      delegations.push({ leaf, ...(spawn !== undefined && { jti }) });
    }
  const entry = {
    at: new Date(now).toISOString(),
    before: new Date(before).toISOString(),
    content: {},
    counts,
    links: {},
    ranges,
    type: "pruning",
    v: 1,
  } satisfies PruningEntry;
  const prune = {
    ranges,
    entry: canonical(entry as unknown as Json),
    before,
    retention,
    holds,
    hashes,
    actions,
    spawns,
    delegations,
  };
  return { prune, counts };
}

/** Each as long as it can be. */
function rangesOf(indexes: readonly number[]): Range[] {
  const ranges: [number, number][] = [];
  for (const index of indexes) {
    const last = ranges.at(-1);
    if (last?.[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}
