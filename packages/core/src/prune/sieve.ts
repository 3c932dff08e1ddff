import type { ActionEntry, DelegationEntry, EntryHash, EntryPayload, OutcomeWord } from "@behest/provenance";
import { MARGIN, linksOf } from "../store/pruning.ts";

/** What decides which entries may go. */
export interface Terms {
  /** ms since the epoch. */
  readonly before: number;
  /** Index of the first entry that was not recorded before: it stays, and so do all after it. */
  readonly boundary: number;
  /** Indexes of entries of turns that a run may still recall. */
  readonly recallable: ReadonlySet<number>;
  /** Pseudonyms of those who are under a legal hold, and hashes of the entries of their delegations. */
  readonly held: ReadonlySet<string>;
  readonly heldDelegations: ReadonlySet<EntryHash>;
}

interface End {
  readonly index: number;
  readonly outcome: OutcomeWord;
  /** It says how an attempt ended whose outcome is recorded as unknown. */
  readonly late: boolean;
}

/**
 * Which entries nothing needs any more. It is shown all of a log, newest first, so that whatever rests on an entry has
 * been seen before it. What persons decide and were asked, trust, revocations, erasures and holds, who looked, and what
 * says that something was pruned, all stay; so does whatever an entry that stays links to.
 */
export class Sieve {
  /**
   * Indexes of those that may go, newest first, and an outcome with its action: -1 - index, after it. Cut anywhere but
   * there, what is left has all that it links to.
   */
  readonly order: number[] = [];
  readonly counts: { delegation: number; interaction: number; action: number; outcome: number } = {
    delegation: 0,
    interaction: 0,
    action: 0,
    outcome: 0,
  };
  readonly #terms: Terms;
  /** What entries that stay rest on, until it is met: hashes, and attempts before theirs. */
  readonly #needed = new Set<string>();
  /** Of attempts that are not met yet, by the hash of their entry. */
  readonly #ends = new Map<EntryHash, End[]>();

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  add(index: number, hash: EntryHash, payload: EntryPayload): void {
    const isYoung = index >= this.#terms.boundary;
    if (payload.type === "outcome" && !isYoung) {
      const { outcome, links } = payload;
      const end: End = { index, outcome, late: links.outcome !== undefined };
      this.#ends.set(links.action, [...(this.#ends.get(links.action) ?? []), end]);
      return;
    }
    const ends = this.#ends.get(hash) ?? [];
    this.#ends.delete(hash);
    const isLinked = this.#needed.delete(hash);
    const isRepeated = payload.type === "action" && this.#needed.delete(attemptOf(payload));
    if (isYoung || isLinked || isRepeated || this.#stays(index, payload, ends)) return this.#keep(payload);
    this.order.push(index, ...ends.map((end) => -1 - end.index));
    this.counts[payload.type as "action"]++;
    this.counts.outcome += ends.length;
  }

  #keep(payload: EntryPayload): void {
    for (const link of linksOf(payload)) this.#needed.add(link);
    if (payload.type === "action" && payload.attempt > 1)
      this.#needed.add(attemptOf({ ...payload, attempt: payload.attempt - 1 }));
  }

  /** Whether it stays for its own sake. */
  #stays(index: number, payload: EntryPayload, ends: readonly End[]): boolean {
    switch (payload.type) {
      case "delegation":
        return this.#terms.held.has(payload.principal) || this.#isAlive(payload);
      case "interaction":
        return this.#terms.recallable.has(index) || this.#isHeld(payload.links.delegation);
      case "action":
        return this.#isHeld(payload.links.delegation) || isOpen(payload, ends);
      default:
        return true;
    }
  }

  #isAlive({ exp }: DelegationEntry): boolean {
    return Number(exp) * 1000 + MARGIN > this.#terms.before;
  }

  /** Whose something is that was observed its entry does not say. */
  #isHeld(delegation: EntryHash | undefined): boolean {
    const { held, heldDelegations } = this.#terms;
    return delegation === undefined ? held.size > 0 : heldDelegations.has(delegation);
  }
}

/** It runs, what became of it is not known, or persons were asked. */
function isOpen({ verdict }: ActionEntry, ends: readonly End[]): boolean {
  if (verdict !== "permit") return verdict === "ask";
  const isUnknown = ends.some(({ outcome, late }) => outcome === "unknown" && !late);
  return ends.length === 0 || (isUnknown && !ends.some(({ late }) => late));
}

function attemptOf({ action, attempt }: ActionEntry): string {
  return `${attempt} ${action}`;
}
