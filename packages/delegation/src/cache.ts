import { sha256, thumbprint, toBase64url } from "@behest/jws";
import { type Anchor, mayAssert, verifyingAnchor } from "./keys/anchor.ts";
import { type VerifiedChain, verifyChain } from "./token/chain.ts";
import type { Clock } from "./token/hop.ts";

/** Chains that were verified before; give the same one to `verifyDelegation` and `verifyAction` again and again. */
export interface ChainCache {
  /** Chains in it. */
  readonly size: number;
}

/**
 * A cache of verified chains in memory, by the hash of all their bytes and of the limits they were verified
 * under. What can change is looked at each time: the issuer's standing, expiry, audience, status. `max`: chains, default 1,000; the one not used for longest is dropped.
 */
export function chainCache({ max = 1000 }: { readonly max?: number } = {}): ChainCache {
  return new Chains(max);
}

class Chains implements ChainCache {
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

/** {@link verifyChain} for deciding, or what the cache knows and what may have changed since. */
export async function cachedChain(
  cache: ChainCache | undefined,
  chain: readonly string[],
  anchors: readonly Anchor[],
  clock: Clock,
): Promise<VerifiedChain> {
  if (!(cache instanceof Chains)) return verifyChain(chain, anchors, clock);
  const key = chainKey(chain, clock);
  const known = cache.find(key);
  // What no longer holds is verified anew, for the step that says why.
  if (known && isTimely(known, clock) && (await isStanding(known, anchors))) return known;
  const verified = await verifyChain(chain, anchors, clock);
  cache.keep(key, verified);
  return verified;
}

function chainKey(chain: readonly string[], { limits }: Clock): string {
  // Lengths first, so that no two chains read the same.
  let text = Object.values(limits).join();
  for (const token of chain) text += `\n${token.length}:${token}`;
  return toBase64url(sha256(text));
}

/** Everything in steps 3 and 4 that depends on the clock. */
function isTimely({ hops }: VerifiedChain, { now, limits }: Clock): boolean {
  return hops.every(({ claims: { iat, exp } }) => exp > now && iat <= now + limits.maxIatSkew);
}

/** The key that signed the root is still its issuer's, who may still assert what it says. */
async function isStanding(
  { hops, root, issuerKey }: VerifiedChain,
  anchors: readonly Anchor[],
): Promise<boolean> {
  const anchor = await verifyingAnchor(anchors, root, ({ jwk }) => thumbprint(jwk) === issuerKey);
  const { iss, sub, tenant } = hops[0]!.claims;
  return anchor !== undefined && anchor.iss === iss && mayAssert(anchor.anchors, { iss, sub, tenant });
}
