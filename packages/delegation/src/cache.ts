import { sha256, thumbprint, toBase64url } from "@behest/jws";
import { type Anchor, mayAssert, verifyingAnchor } from "./keys/anchor.ts";
import { type VerifiedChain, verifyChain } from "./token/chain.ts";
import type { Clock } from "./token/hop.ts";

/** Chains that were verified before; give the same one to `verifyDelegation` and `verifyAction` again and again. */
export interface ChainCache {
  /** Chains in it. */
  readonly size: number;
}

export interface ChainCacheOptions {
  /** Chains. Default 1,000. */
  readonly max?: number;
  /** Bytes of all their tokens together; in memory they may take some fifteen times as much. Default 16 MB. */
  readonly maxBytes?: number;
}

/** Bytes of tokens. Longer chains are rare, unless somebody makes them to fill the cache. */
const LONGEST = 65_536;

/**
 * A cache of verified chains in memory, by the hash of all their bytes and of the limits they were verified
 * under. What can change is looked at each time: the issuer's standing, expiry, audience, status. The one not used for
 * longest is dropped; chains above 64 KB are not kept.
 */
export function chainCache({ max = 1000, maxBytes = 16_777_216 }: ChainCacheOptions = {}): ChainCache {
  return new Chains(max, maxBytes);
}

class Chains implements ChainCache {
  readonly #max: number;
  readonly #maxBytes: number;
  #bytes = 0;
  /** Oldest use first. */
  readonly #known = new Map<string, { readonly chain: VerifiedChain; readonly bytes: number }>();

  constructor(max: number, maxBytes: number) {
    this.#max = max;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#known.size;
  }

  find(key: string): VerifiedChain | undefined {
    const known = this.#known.get(key);
    if (!known) return undefined;
    this.#known.delete(key);
    this.#known.set(key, known);
    return known.chain;
  }

  keep(key: string, chain: VerifiedChain, bytes: number): void {
    this.#drop(key);
    this.#known.set(key, { chain, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#max && this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#known.get(key)?.bytes ?? 0;
    this.#known.delete(key);
  }
}

/** A verified chain, and how to keep it once whoever presented it has earned that. */
export interface Cached {
  readonly chain: VerifiedChain;
  readonly keep: () => void;
}

/** {@link verifyChain} for deciding, or what the cache knows and what may have changed since. */
export async function cachedChain(
  cache: ChainCache | undefined,
  tokens: readonly string[],
  anchors: readonly Anchor[],
  clock: Clock,
): Promise<Cached> {
  const bytes = tokens.reduce((sum, { length }) => sum + length, 0);
  if (!(cache instanceof Chains) || bytes > LONGEST)
    return { chain: await verifyChain(tokens, anchors, clock), keep: nothing };
  const key = chainKey(tokens, clock);
  const known = cache.find(key);
  // What no longer holds is verified anew, for the step that says why.
  if (known && isTimely(known, clock) && (await isStanding(known, anchors)))
    return { chain: known, keep: nothing };
  const chain = await verifyChain(tokens, anchors, clock);
  return { chain, keep: () => cache.keep(key, chain, bytes) };
}

function nothing(): void {}

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
