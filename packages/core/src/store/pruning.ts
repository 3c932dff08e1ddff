import type { EntryHash, EntryPayload } from "@behest/provenance";
import { parseEntry, parsePayload } from "@behest/provenance";
import { BehestError } from "../error.ts";
import type { Append, Begin, Draft, Placed } from "./types.ts";

/** First and last index of a stretch of entries. */
export type Range = readonly [first: number, last: number];

/** Entries whose text goes, as they were when the first `seen` entries were looked at. */
export interface Prune {
  /** In log order, and none of them twice. */
  readonly ranges: readonly Range[];
  /** The entry that says so. */
  readonly entry: Draft;
  /** All of them were recorded before, ms since the epoch. */
  readonly before: number;
  /** How long what is recorded is kept, ms. */
  readonly retention: number;
  readonly seen: number;
  /** Indexes of the holds in force that were looked at. */
  readonly holds: readonly number[];
  /** Of all of them. */
  readonly hashes: readonly EntryHash[];
  /** Actions of which an attempt goes: it stays known that they ran, and none runs again. */
  readonly actions: readonly string[];
  /** Actions that have no entry but the delegation that goes. */
  readonly spawns: readonly string[];
  /** Leaf hashes of delegations that go. `jti`: of one that was spawned here, which nothing else is named by then. */
  readonly delegations: readonly { readonly leaf: string; readonly jti?: string }[];
}

export type PruneResult =
  | {
      readonly pruned: "done";
      readonly placed: Placed;
      /** See `EraseResult`. */
      readonly swept: boolean;
    }
  /** `until`: ms since the epoch; what was recorded before `before` may go then. */
  | { readonly pruned: "refused"; readonly code: "retained"; readonly until: number }
  /** The log has gone on in what it rests on, or somebody else has pruned: look again. Nothing was changed. */
  | { readonly pruned: "again" };

/** Begins the keys (`once`) of entries that say what was pruned. */
export const PRUNED = "pruned:";
/** Begins the keys of delegations whose entry is gone: then the leaf hash, or the jti of one that was spawned here. */
export const GONE = "gone:";

/** Longer than anything that has no row to be found by goes on: a turn that a process has in its memory. */
export const MARGIN = 86_400_000;
/** Entries that may have come since, at most: it is waited for. */
export const FRESH = 2_000;

/** What a store knows of the log, inside the transaction. */
export interface Prunable {
  /** The store's time, ms since the epoch. */
  readonly now: number;
  readonly size: number;
  /** What the manifest keeps that is in force by now, ms. */
  readonly retention: number;
  /** Indexes of the holds that nobody has released. */
  readonly holds: readonly number[];
  /** How many of the entries have their text. */
  readonly left: number;
  /** Entries from `seen` on, as signed. */
  readonly fresh: () => readonly string[];
}

/** Undefined where it may be done. */
export function rulePrune(
  { ranges, before, retention, seen, holds, hashes, actions }: Prune,
  known: Prunable,
): Exclude<PruneResult, { pruned: "done" }> | undefined {
  const until = before + Math.max(retention, known.retention) + MARGIN;
  if (until > known.now) return { pruned: "refused", code: "retained", until };
  const same = known.left === sizeOf(ranges) && known.holds.every((index) => holds.includes(index));
  if (!same || known.size - seen > FRESH) return { pruned: "again" };
  const going = new Set([...hashes, ...actions.map((action) => `action ${action}`)]);
  return known.fresh().some((jws) => restsOf(payloadOf(jws)).some((name) => going.has(name)))
    ? { pruned: "again" }
    : undefined;
}

export function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** What an entry cannot be without: the hashes that it links to, and attempts of its action before it. */
export function restsOf(payload: EntryPayload): string[] {
  const links = linksOf(payload);
  return payload.type === "action" && payload.attempt > 0
    ? [...links, `action ${payload.action}`]
    : [...links];
}

export function linksOf(payload: EntryPayload): readonly EntryHash[] {
  if (!("links" in payload)) return [];
  return Object.values(payload.links as { readonly [link: string]: EntryHash | readonly EntryHash[] }).flat();
}

/** What a signed entry says. */
export function payloadOf(jws: string): EntryPayload {
  return parsePayload(parseEntry(jws).payload);
}

/** Keys of the marks that stop a request: its delegation is pruned. */
export function restsOn({ record, under, delegation }: Partial<Append & Begin>): string[] {
  const { leaf, jti, request } = delegation ?? {};
  const names = [record?.delegation, under, leaf, request === undefined ? undefined : jti];
  return names.flatMap((name) => (name === undefined ? [] : [GONE + name]));
}

/** Of what goes on with something that has been pruned since. */
export function pruned(): BehestError {
  return new BehestError(
    "entry_pruned",
    "entry_pruned: the delegation or the model turn that it rests on was pruned from the log. Delegate again, and begin a new run.",
  );
}
