import { type PublicJwk, type PublicKey, plainBody, publicJwk, publicKey } from "@behest/jws";
import {
  type ExportedJWKSCache,
  type FetchImplementation,
  createRemoteJWKSet,
  customFetch,
  jwksCache,
} from "jose/jwks/remote";
import { DelegationError } from "../error.ts";

/** How a key set or a status list is fetched. It must not follow redirects, and must heed its signal, which fires after 5 s. */
export type KeySetFetch = FetchImplementation;

/** All in ms. A set is kept for `cacheMaxAge`; for a key that is not in it another is asked for, after the cool-down. */
const TERMS = { timeoutDuration: 5_000, cooldownDuration: 30_000, cacheMaxAge: 600_000 };
/** ms between requests to a server that does not answer, whoever asks and however often. */
const BACK_OFF = 5_000;
/** Bytes of a set; the largest known ones take a tenth. */
const MAX_BODY = 1_048_576;
/** Keys of one set that a token is tried against. Real sets hold two or three; `kid` finds others. */
const MAX_TRIED = 16;

/** A usable key, imported when it is first tried. */
interface Candidate {
  readonly jwk: PublicJwk;
  key?: PublicKey;
}

/** What one fetched set offers; no list longer than {@link MAX_TRIED}. */
interface Offer {
  readonly first: readonly Candidate[];
  readonly byKid: ReadonlyMap<unknown, readonly Candidate[]>;
}

/** The Ed25519 keys at one URL, by jose: fetched when first needed, kept, and asked for again. */
class KeySet {
  readonly #remote: ReturnType<typeof createRemoteJWKSet>;
  /** Where jose puts what it last fetched, and when. */
  readonly #fetched: Partial<ExportedJWKSCache> = {};
  #offer: Offer | undefined;
  /** The set that it is made from. */
  #source: unknown;
  #failed: number | undefined;

  constructor(url: URL, fetch: KeySetFetch) {
    const cache = this.#fetched as ExportedJWKSCache;
    this.#remote = createRemoteJWKSet(url, { ...TERMS, [customFetch]: bounded(fetch), [jwksCache]: cache });
  }

  /** Keys to try, first as kept; a second round after a new request, where one is due. */
  async *rounds(kid: unknown): AsyncGenerator<readonly PublicKey[]> {
    // A clock set back would keep a set for ever.
    if (!this.#remote.fresh || Date.now() < (this.#fetched.uat ?? 0)) await this.#reload();
    yield this.#keys(kid);
    if (this.#remote.coolingDown) return;
    await this.#reload();
    yield this.#keys(kid);
  }

  async #reload(): Promise<void> {
    try {
      if (this.#failed !== undefined && Math.abs(Date.now() - this.#failed) < BACK_OFF)
        throw new TypeError("it did not answer a moment ago");
      await this.#remote.reload().catch((cause: unknown) => {
        this.#failed = Date.now();
        throw cause;
      });
      this.#failed = undefined;
    } catch (cause) {
      throw new DelegationError("issuer_unreachable", "issuers: a key set could not be fetched", { cause });
    }
  }

  /** Those that `kid` names first: it is only a hint, and whoever signed wrote it. */
  #keys(kid: unknown): readonly PublicKey[] {
    const { jwks } = this.#fetched;
    if (!this.#offer || this.#source !== jwks) this.#offer = offerOf(jwks?.keys ?? []);
    this.#source = jwks;
    const { first, byKid } = this.#offer;
    const ordered = new Set([...(byKid.get(kid) ?? []), ...first]);
    return [...ordered].slice(0, MAX_TRIED).map((one) => (one.key ??= publicKey(one.jwk)));
  }
}

/** What RFC 7517 lets this package use, each key once. A set also holds keys of other kinds. */
function offerOf(keys: ExportedJWKSCache["jwks"]["keys"]): Offer {
  const all = new Map<string, Candidate>();
  const byKid = new Map<unknown, Candidate[]>();
  for (const entry of keys) {
    try {
      const { kid, use = "sig", alg = "Ed25519", key_ops: uses = ["verify"] } = entry;
      if (use !== "sig" || !["Ed25519", "EdDSA"].includes(alg) || !uses.includes("verify")) continue;
      const jwk = publicJwk(entry);
      const candidate = all.get(jwk.x) ?? { jwk };
      all.set(jwk.x, candidate);
      const named = byKid.get(kid) ?? [];
      if (kid !== undefined && named.length < MAX_TRIED) byKid.set(kid, [...named, candidate]);
    } catch {
      // Private members, small order, members of another type: not a key to trust.
    }
  }
  return { first: [...all.values()].slice(0, MAX_TRIED), byKid };
}

/** Nothing but 200, from where it was asked for, of a bounded size. */
function bounded(fetch: KeySetFetch): KeySetFetch {
  return async (url, options) => new Response(await plainBody(await fetch(url, options), MAX_BODY));
}

export const globalFetch: KeySetFetch = (url, options) => fetch(url, options);

/** One set a fetch, URL and process. */
const sets = new WeakMap<KeySetFetch, Map<string, KeySet>>();

/**
 * Rounds of keys at an https URL. Throws `issuer_unreachable`, `malformed_request`.
 */
export function keysAt(
  address: string | URL,
  kid: unknown,
  fetch: KeySetFetch = globalFetch,
): AsyncGenerator<readonly PublicKey[]> {
  const url = URL.canParse(String(address)) ? new URL(address) : undefined;
  if (url?.protocol !== "https:")
    throw new DelegationError("malformed_request", "issuers: a key set needs an https URL");
  const own = sets.get(fetch) ?? new Map<string, KeySet>();
  sets.set(fetch, own);
  const set = own.get(url.href) ?? new KeySet(url, fetch);
  own.set(url.href, set);
  return set.rounds(kid);
}
