import type { KeySetFetch } from "@behest/delegation";
import { plainBody } from "@behest/jws";
import type { JWK, JWTVerifyGetKey } from "jose";
import { JWKSNoMatchingKey } from "jose/errors";
import { createRemoteJWKSet, customFetch } from "jose/jwks/remote";
import { BehestError } from "../error.ts";
import { Refusal } from "./refusal.ts";
import type { Subject } from "./subject.ts";

/** A person, as one issuer of delegations names them. */
export interface Principal {
  readonly issuer: string;
  readonly principal: string;
}

/** Who may send signals, and about whom. */
export type Transmitter = {
  /** Exactly what its tokens' `iss` says. */
  readonly iss: string;
  /** What the `aud` of its tokens must contain: this receiver. */
  readonly audience: string;
  /** Issuers of delegations whose principals it may have cut. */
  readonly speaksFor: readonly string[];
  /**
   * Whom a subject means; asked first. Without an answer, an `iss_sub`, alone or as `user` of a `complex` subject, is
   * the principal `sub` of the issuer `iss`, and others are nobody.
   */
  readonly principal?: (subject: Subject) => Principal | undefined | Promise<Principal | undefined>;
  /** Whether this receiver asked for a verification with this state. Default: only those without one are expected. */
  readonly verification?: (state: string | undefined) => boolean | Promise<boolean>;
} & (
  | { /** RSA of at least 2048 bits, or Ed25519. */ readonly jwk: JWK; readonly jwks?: never }
  | {
      /** https URL of its JWK set. */
      readonly jwks: string | URL;
      readonly jwk?: never;
      /** How it is fetched. Default: the global `fetch`. */
      readonly fetch?: KeySetFetch;
    }
);

/** Bytes of a key set. */
const MAX_SET = 1_048_576;
/** ms between requests to a server that does not answer. */
const BACK_OFF = 5_000;

/** When a key set may be asked for again, seconds. */
const RETRY = { "retry-after": "30" };

/** A key set that cannot be had: the token is to be sent again. */
export class Unreachable extends Error {}

/**
 * The transmitter's key. A set is kept for ten minutes and asked for again for a key that is not in it, every 30
 * seconds at most: until it was, the token is to be sent again. Redirects are not followed. Throws `config_invalid`.
 */
export function keyOf(transmitter: Transmitter): JWK | JWTVerifyGetKey {
  const { iss, audience, speaksFor, jwk, jwks } = transmitter;
  const invalid = (what: string): BehestError =>
    new BehestError("config_invalid", `config_invalid: transmitters: ${what}.`);
  // jose skips the comparison with a name that is missing; a text would contain parts of itself.
  if ([iss, audience].some((name) => typeof name !== "string" || name === ""))
    throw invalid("iss and audience are texts");
  if (!Array.isArray(speaksFor)) throw invalid("speaksFor is a list");
  if ((jwk === undefined) === (jwks === undefined)) throw invalid("name either jwk or jwks");
  if (jwk) {
    if (Object.hasOwn(jwk, "d") || Object.hasOwn(jwk, "k")) throw invalid("expected a public key");
    return jwk;
  }
  const url = URL.canParse(String(jwks)) ? new URL(jwks) : undefined;
  if (url?.protocol !== "https:") throw invalid("a key set needs an https URL");
  const fetched = guarded("fetch" in transmitter && transmitter.fetch ? transmitter.fetch : globalFetch);
  const set = createRemoteJWKSet(url, { [customFetch]: fetched });
  return async (header, token) => {
    const kept = set.coolingDown;
    try {
      return await set(header, token);
    } catch (cause) {
      // It may have been published since.
      if (kept && cause instanceof JWKSNoMatchingKey)
        throw new Refusal(503, "unavailable", "its key is not known yet", { headers: RETRY });
      throw cause;
    }
  };
}

const globalFetch: KeySetFetch = (url, options) => fetch(url, options);

/** Nothing but a bounded 200; a server that is down is left alone for a while, whoever sends what. */
function guarded(fetch: KeySetFetch): KeySetFetch {
  let failed = Number.NEGATIVE_INFINITY;
  return async (url, options) => {
    try {
      if (performance.now() - failed < BACK_OFF) throw new TypeError("it did not answer a moment ago");
      return new Response(
        await fetch(url, options)
          .then((response) => plainBody(response, MAX_SET))
          .catch((cause: unknown) => {
            failed = performance.now();
            throw cause;
          }),
      );
    } catch (cause) {
      throw new Unreachable("a key set could not be had", { cause });
    }
  };
}
