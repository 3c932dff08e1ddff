import { retentionOf } from "../manifest.ts";
import type { EntryHash, ErasureEntry, PrincipalErasure, PruningEntry } from "../payload.ts";
import { type Keys, SKEW } from "./keys.ts";
import type { Prunings } from "./prunings.ts";
import { type Findings, Refusal } from "./report.ts";

/** What the log says of erasure: whose content is gone, since when, and whether that was allowed then. */
export class Erasures {
  readonly #findings: Findings;
  readonly #prunings: Prunings;
  /** Indexes of the delegations of each principal. */
  readonly #delegations = new Map<string, number[]>();
  /** When something was recorded of each last, ms since the epoch. */
  readonly #last = new Map<string, number>();
  readonly #erased = new Set<string>();
  /** Whom each hold in force is about; undefined: everybody. */
  readonly #holds = new Map<EntryHash, readonly string[] | undefined>();

  constructor(findings: Findings, prunings: Prunings) {
    this.#findings = findings;
    this.#prunings = prunings;
  }

  get principals(): readonly string[] {
    return [...this.#erased];
  }

  /** Something is recorded of this principal; throws after its erasure. */
  living(principal: string, at: string): void {
    if (this.#erased.has(principal))
      throw new Refusal("erasure", "recorded_after_erasure", "its principal had been erased before it");
    this.seen(principal, at);
  }

  seen(principal: string, at: string): void {
    const time = Date.parse(at);
    if (time > (this.#last.get(principal) ?? Number.NEGATIVE_INFINITY)) this.#last.set(principal, time);
  }

  /** The delegation at `index` is of this principal. */
  named(principal: string, index: number): void {
    const known = this.#delegations.get(principal);
    if (known) known.push(index);
    else this.#delegations.set(principal, [index]);
  }

  add(hash: EntryHash, entry: ErasureEntry, keys: Keys): void {
    switch (entry.kind) {
      case "principal":
        return this.#erase(entry, keys);
      case "hold":
        this.#holds.set(hash, entry.principals);
        return;
      case "release":
        if (!this.#holds.delete(entry.links.hold))
          throw new Refusal("link", "link_broken", "no hold in force has the hash it names");
    }
  }

  /** Whose the entries were that are gone is not known, so only a hold on everybody can be compared. */
  prune(index: number, entry: PruningEntry, keys: Keys): void {
    this.#prunings.add(index, entry, keys, [...this.#holds.values()].includes(undefined));
  }

  /** At the end of the log. */
  finish(): void {
    if (this.#erased.size === 0) return;
    const gone = this.principals.flatMap((principal) => this.#delegations.get(principal) ?? []);
    this.#findings.erase(new Set(gone));
  }

  #erase({ principals, at, early }: PrincipalErasure, keys: Keys): void {
    // What is gone is gone, whether it should have been or not.
    for (const principal of principals) this.#erased.add(principal);
    const held = [...this.#holds.values()].some(
      (whom) => !whom || whom.some((one) => principals.includes(one)),
    );
    if (held) throw new Refusal("erasure", "erased_under_hold", "erased while a hold was in force");
    const since = Date.parse(at) - (keys.manifest ? retentionOf(keys.manifest) : 0);
    const young = principals.some((principal) => (this.#last.get(principal) ?? since) > since + SKEW);
    if (young && !early)
      throw new Refusal("erasure", "erased_early", "erased before its time, and it does not say so");
  }
}
