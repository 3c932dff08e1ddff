import type { MemoryLog } from "./memory-log.ts";
import { ownerOf } from "./erasure.ts";
import { type MemoryRows, holdsIn, refuseErased } from "./memory-rows.ts";
import { GONE, PRUNED, type Prune, type PruneResult, pruned, restsOn, rulePrune, sizeOf } from "./pruning.ts";
import type { Append, Begin } from "./types.ts";

/** See `Engine.prune`. `now`: the store's time. */
export function prune(rows: MemoryRows, log: MemoryLog, request: Prune, now: number): PruneResult {
  const { ranges, actions, spawns, delegations } = request;
  const gone = ranges.reduce((sum, [first, last]) => {
    for (let index = first; index <= last; index++) if (log.isGone(index)) sum++;
    return sum;
  }, 0);
  const refused = rulePrune(request, {
    now,
    size: log.size,
    retention: log.retention,
    holds: holdsIn(rows, log),
    left: sizeOf(ranges) - gone,
    fresh: () => log.entries(request.seen, log.size - request.seen),
  });
  if (refused) return refused;
  const placed = log.place(request.entry);
  rows.once.set(PRUNED + placed.index, placed.index);
  for (const range of ranges) {
    log.empty(range);
    for (let index = range[0]; index <= range[1]; index++) {
      rows.records.delete(index);
      rows.content.drop(index);
    }
  }
  for (const action of actions) {
    const state = rows.actions.get(action);
    if (!state) continue;
    const { result: _, ...kept } = state;
    rows.actions.set(action, { ...kept, repeatable: false, charged: [] });
  }
  for (const action of spawns) rows.content.drop(action);
  for (const { leaf, jti } of delegations) {
    rows.delegations.drop(leaf);
    for (const name of jti === undefined ? [leaf] : [leaf, jti]) rows.once.set(GONE + name, placed.index);
  }
  return { pruned: "done", placed, swept: true };
}

/** Throws `principal_erased`, `entry_pruned`. */
export function refuse(rows: MemoryRows, log: MemoryLog, request: Partial<Append & Begin>): void {
  refuseErased(rows, ownerOf(request));
  const turn = request.record?.interaction;
  if ((turn !== undefined && log.isGone(turn)) || restsOn(request).some((key) => rows.once.has(key)))
    throw pruned();
}
