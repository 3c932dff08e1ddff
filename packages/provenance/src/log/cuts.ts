import { thumbprint } from "@behest/jws";
import type { RevocationEntry } from "../payload.ts";
import type { Hop } from "./approvals.ts";
import type { Keys } from "./keys.ts";
import type { Findings } from "./report.ts";

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

  /** Leaf first. */
  concern(chain: readonly Hop[]): boolean {
    if (this.#before.size === 0) return false;
    const issued = Number(chain.at(-1)!.iat);
    const isCut = (name: string): boolean => issued <= (this.#before.get(name) ?? -1);
    return chain.some(
      ({ jti, holder, principal }) =>
        isCut(`delegation ${jti}`) || isCut(`holder ${keyName(holder)}`) || isCut(`principal ${principal}`),
    );
  }
}

/** A cut names a key by its thumbprint; one that is no usable key has none, and can have held nothing. */
function keyName(x: string): string {
  return thumbprint({ kty: "OKP", crv: "Ed25519", x });
}
