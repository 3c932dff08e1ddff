import { Delegations } from "./delegations.ts";
import { ACCESS, ERASED, type Erasable, HOLD, RELEASE, erased } from "./erasure.ts";
import { matches } from "./filter.ts";
import { Kept } from "./kept.ts";
import { MemoryCounters } from "./memory-counters.ts";
import type { MemoryLog } from "./memory-log.ts";
import { Principals } from "./principals.ts";
import { type ActionState, askedBefore } from "./rules.ts";
import { Turns } from "./turns.ts";
import type { Append, RecordFilter, SeenTool, StoredRecord } from "./types.ts";
import { Waiting } from "./waiting.ts";

interface MemoryAction extends ActionState {
  readonly result?: string | undefined;
  /** Index of its action entry; absent for a spawn. */
  readonly index?: number | undefined;
  /** Of its outcome entry. */
  readonly ended?: number | undefined;
}

/** What a store in memory keeps beside its log. */
export interface MemoryRows {
  readonly once: Map<string, number>;
  readonly principals: Principals;
  readonly content: Kept;
  readonly turns: Turns;
  readonly waiting: Waiting;
  readonly delegations: Delegations;
  /** By index of the action entry, so in log order. */
  readonly records: Map<number, StoredRecord>;
  readonly actions: Map<string, MemoryAction>;
  readonly counters: MemoryCounters;
  /** By digest. */
  readonly documents: Map<string, string>;
  /** How tools were met. */
  readonly tools: Map<string, SeenTool>;
}

export function memoryRows(): MemoryRows {
  return {
    once: new Map(),
    principals: new Principals(),
    content: new Kept(),
    turns: new Turns(),
    waiting: new Waiting(),
    delegations: new Delegations(),
    records: new Map(),
    actions: new Map(),
    counters: new MemoryCounters(),
    documents: new Map(),
    tools: new Map(),
  };
}

export function recordsIn({ records }: MemoryRows, filter: RecordFilter): readonly StoredRecord[] {
  const rows = [...records.values()].filter((row) => matches(row, filter));
  return rows.slice(Math.max(0, rows.length - (filter.limit ?? rows.length)));
}

export function erasable(
  rows: MemoryRows,
  log: MemoryLog,
  principals: readonly string[],
  now: number,
): Erasable {
  return {
    isKnown: (pseudonym) => rows.principals.named(pseudonym) !== undefined,
    holds: holdsIn(rows, log).flatMap((index) => log.entries(index, 1)),
    latest: () => {
      const places = principals.flatMap((principal) => placesOf(rows, principal));
      return places.length === 0 ? undefined : log.entries(latestOf(places), 1)[0];
    },
    recorded: () => {
      const theirs = [...rows.records.values()].filter(({ principal }) => principals.includes(principal));
      return theirs.length === 0 ? undefined : latestOf(theirs.map(({ at }) => at));
    },
    now,
  };
}

/** Indexes of those that nobody has released. */
export function holdsIn({ once }: MemoryRows, log: MemoryLog): readonly number[] {
  return [...once].flatMap(([key, index]) =>
    key.startsWith(HOLD) && !once.has(RELEASE + log.hash(index)) ? [index] : [],
  );
}

/** Index of what the request would store a second time. */
export function storedBefore(
  rows: MemoryRows,
  log: MemoryLog,
  { once, delegation, journal, approval }: Append,
  now: number,
): number | undefined {
  if (approval) return askedBefore(rows.waiting.get(approval.id), approval);
  const stored = delegation && rows.delegations.before(delegation);
  if (stored !== undefined) return stored;
  const denied = once === undefined ? undefined : rows.once.get(once);
  // What was pruned is recorded anew.
  if (denied !== undefined && !log.isGone(denied)) return denied;
  return journal && rows.turns.get(journal.run, journal.key, now)?.index;
}

/** Throws `principal_erased`. */
export function refuseErased(rows: MemoryRows, principal: string | undefined): void {
  if (principal !== undefined && rows.once.has(ERASED + principal)) throw erased();
}

function latestOf(times: readonly number[]): number {
  return times.reduce((last, time) => Math.max(last, time), 0);
}

/** Indexes of entries that are known to be of this principal. */
function placesOf(rows: MemoryRows, principal: string): readonly number[] {
  const records = [...rows.records.values()].filter((row) => row.principal === principal);
  return [
    ...records.flatMap(({ index, ended = 0, interaction = 0 }) => [index, ended, interaction]),
    ...rows.delegations.all().flatMap((row) => (row.principal === principal ? [row.index] : [])),
    ...rows.content.beside(principal),
    ...rows.turns.of(principal),
    ...rows.waiting.places(principal),
    ...[...rows.once].flatMap(([key, at]) => (key.startsWith(`${ACCESS}${principal}:`) ? [at] : [])),
  ];
}

/** `index`: of the entry that says so. */
export function destroy(rows: MemoryRows, principal: string, index: number): void {
  rows.once.set(ERASED + principal, index);
  for (const held of [rows.principals, rows.content, rows.turns, rows.waiting, rows.delegations])
    held.erase(principal);
  for (const [at, row] of rows.records) {
    if (row.principal !== principal) continue;
    rows.records.set(at, { ...row, agent: new Uint8Array() });
    const action = rows.actions.get(row.action);
    for (const counter of action?.charged ?? []) rows.counters.delete(counter);
    if (action) rows.actions.set(row.action, { ...action, charged: [] });
  }
}
