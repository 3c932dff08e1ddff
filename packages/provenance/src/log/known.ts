import type {
  ActionEntry,
  Commitment,
  DelegationEntry,
  EntryHash,
  InteractionEntry,
  OutcomeWord,
} from "../payload.ts";

// What is kept of entries that later ones link to.

export type DelegationKnown = Pick<
  DelegationEntry,
  "type" | "jti" | "leaf" | "principal" | "holder" | "depth" | "exp" | "iat" | "links"
>;
export interface InteractionKnown extends Pick<InteractionEntry, "type" | "session"> {
  readonly delegation: EntryHash | undefined;
  /** Action ids of the calls it chose. */
  readonly chosen: readonly string[];
}
export interface ActionKnown extends Pick<
  ActionEntry,
  "type" | "action" | "attempt" | "verdict" | "tool" | "effect" | "policy"
> {
  readonly index: number;
  readonly args: Commitment;
  /** Undefined where it was observed. */
  readonly delegation: EntryHash | undefined;
  outcome?: OutcomeWord;
  /** Hash of the entry that says `unknown`, until it is reconciled. */
  unknown?: EntryHash | undefined;
}
export type Known = DelegationKnown | InteractionKnown | ActionKnown;

export function interactionKnown({ type, session, calls, links }: InteractionEntry): InteractionKnown {
  return { type, session, delegation: links.delegation, chosen: calls.map(({ action }) => action) };
}

export function delegationKnown(entry: DelegationEntry): DelegationKnown {
  const { type, jti, leaf, principal, holder, depth, exp, iat, links } = entry;
  return { type, jti, leaf, principal, holder, depth, exp, iat, links };
}
