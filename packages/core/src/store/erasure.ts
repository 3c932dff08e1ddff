import { type EntryPayload, parseEntry, parsePayload } from "@behest/provenance";
import { BehestError } from "../error.ts";
import type { Append, Begin, Draft, Placed } from "./types.ts";

export interface Erase {
  /** Pseudonyms. */
  readonly principals: readonly string[];
  /** The entry where nothing of theirs is younger than `retention`, ms, by the store's time. */
  readonly entry: Draft;
  readonly retention: number;
  /** The entry where something is; absent: then nothing is erased. */
  readonly early?: Draft;
}

export type EraseResult =
  | {
      readonly erased: "done";
      readonly placed: Placed;
      readonly early: boolean;
      /** Nothing of it is left in the store's journal. False: it was in use, and is emptied later. */
      readonly swept: boolean;
    }
  | { readonly erased: "refused"; readonly code: "on_hold" }
  /** `until`: ms since the epoch; from then on it can be erased, if nothing more is recorded. */
  | { readonly erased: "refused"; readonly code: "retained"; readonly until: number }
  /** One of them has been erased before, or never was. */
  | { readonly erased: "refused"; readonly code: "principal_unknown" };

/** Begin the keys (`once`) under which the log has holds, what releases them (then the hold's hash), and erasures (then the pseudonym). */
export const HOLD = "hold:";
export const RELEASE = "release:";
export const ERASED = "erased:";
/** Begins the keys of what somebody was shown: then whom, a colon, and anything. */
export const ACCESS = "access:";

/** What a store knows of the log, inside the transaction. */
export interface Erasable {
  readonly isKnown: (pseudonym: string) => boolean;
  /** Entries of the holds that nobody has released, as signed. */
  readonly holds: readonly string[];
  /** The latest entry that is known to be of one of them, as signed; undefined where nothing is. */
  readonly latest: () => string | undefined;
  /** The latest time of a record of theirs, ms since the epoch: the latest entry may be of a machine whose clock was behind. */
  readonly recorded: () => number | undefined;
  /** The store's time, ms since the epoch. */
  readonly now: number;
}

/** Which entry is to be appended, or why nothing is erased. */
export function ruleErase(
  { principals, entry, early, retention }: Erase,
  { isKnown, holds, latest, recorded, now }: Erasable,
): { readonly entry: Draft; readonly early: boolean } | Extract<EraseResult, { erased: "refused" }> {
  if (!principals.every(isKnown)) return { erased: "refused", code: "principal_unknown" };
  for (const jws of holds) {
    const hold = payloadOf(jws);
    if (hold.type !== "erasure" || hold.kind !== "hold") continue;
    if (!hold.principals || hold.principals.some((one) => principals.includes(one)))
      return { erased: "refused", code: "on_hold" };
  }
  const last = latest();
  // What ends when its attempt is long over leaves no row behind: a day.
  const margin = Math.min(retention, 86_400_000);
  // Where it was pruned it is older than what is kept, and so is all before it.
  const at = Math.max(last ? Date.parse(payloadOf(last).at) : 0, recorded() ?? 0);
  const until = at === 0 ? 0 : at + retention + margin;
  if (until <= now || retention === 0) return { entry, early: false };
  return early === undefined ? { erased: "refused", code: "retained", until } : { entry: early, early: true };
}

function payloadOf(jws: string): EntryPayload {
  return parsePayload(parseEntry(jws).payload);
}

/** Whose a request is; undefined of what belongs to nobody. */
export function ownerOf({
  principal,
  record,
  content,
  ...request
}: Partial<Append & Begin>): string | undefined {
  const { delegation, journal, approval } = request;
  const rows = [record, delegation, journal, approval, ...(content ?? [])];
  return principal ?? rows.find((row) => row)?.principal;
}

/** Of what somebody still does for a principal who was erased, here or by another process. */
export function erased(): BehestError {
  return new BehestError(
    "principal_erased",
    "principal_erased: what was kept of this principal was erased, and nothing goes on in its name. Delegate again, and open that.",
  );
}
