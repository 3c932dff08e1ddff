import { sha256, toBase64url } from "@behest/jws";
import type { VerifiedChain } from "./chain.ts";
import type { Clock } from "./hop.ts";

/** Chains that were verified before; give the same one to `verifyDelegation` and `verifyAction` again and again. */
export interface ChainCache {
  /** Chains in it. */
  readonly size: number;
}

/**
 * A cache of verified chains in memory, by the hash of all their bytes and of the limits they were verified
 * under. What can change is looked at each time: the issuer's standing, expiry, the clock, audience, consent
 * and status. `max`: chains, default 1,000; the one not used for longest is dropped.
 */
export function chainCache({ max = 1000 }: { readonly max?: number } = {}): ChainCache {
  return new Chains(max);
}

export class Chains implements ChainCache {
  readonly #max: number;
  /** Oldest use first. */
  readonly #known = new Map<string, VerifiedChain>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#known.size;
  }

  find(key: string): VerifiedChain | undefined {
    const known = this.#known.get(key);
    if (!known) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known;
  }

  keep(key: string, chain: VerifiedChain): void {
    this.#known.set(key, chain);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#max) return;
      this.#known.delete(oldest);
    }
  }
}

export function chainKey(chain: readonly string[], { limits }: Clock): string {
  // Lengths first, so that no two chains read the same.
  let text = Object.values(limits).join();
  for (const token of chain) text += `\n${token.length}:${token}`;
  return toBase64url(sha256(text));
}

/** Everything in steps 3 and 4 that depends on the clock. */
export function isTimely({ hops }: VerifiedChain, { now, limits }: Clock): boolean {
  return hops.every(({ claims: { iat, exp } }) => exp > now && iat <= now + limits.maxIatSkew);
}
