import type { DelegationEntry, RevocationEntry } from "../payload.ts";
import type { Keys } from "./keys.ts";
import type { Findings } from "./report.ts";

/** A delegation as cuts concern it. */
export interface Hop extends Pick<DelegationEntry, "jti" | "principal"> {
  /** RFC 7638 thumbprint. */
  readonly holder: string;
  /** Of the root above it, seconds since the epoch. */
  readonly issued: number;
  readonly parent: Hop | undefined;
}

const ALWAYS = Number.POSITIVE_INFINITY;

/** Cuts that the log has taken in, by what their entries name. */
export class Cuts {
  readonly #findings: Findings;
  /** Date up to which roots are concerned, by kind and id. */
  readonly #before = new Map<string, number>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Settles that an enrolled revoker's cut stands here; else throws. */
  add(index: number, { revoker, scope, target, ids, before }: RevocationEntry, keys: Keys): void {
    keys.relyOnRevoker(revoker, scope, index);
    this.#findings.add(index, "revocation", "not_shown", "cut_not_shown", "the signed cut is not in the log");
    // Whose tenant it is and what it is called is content, not in the log: nobody can say here what these concern.
    if (scope !== "*" || target === "agent" || target === "tenant") return;
    const date = before === undefined ? ALWAYS : Number(before);
    for (const id of ids) {
      const name = `${target} ${id}`;
      this.#before.set(name, Math.max(this.#before.get(name) ?? 0, date));
    }
  }

  concern(leaf: Hop): boolean {
    if (this.#before.size === 0) return false;
    for (let hop: Hop | undefined = leaf; hop; hop = hop.parent)
      for (const name of [`delegation ${hop.jti}`, `holder ${hop.holder}`, `principal ${hop.principal}`])
        if (leaf.issued <= (this.#before.get(name) ?? -1)) return true;
    return false;
  }
}
