import { type Json, parseJson, splitCompact } from "@behest/jws";
import type { JWK, JWTVerifyGetKey, JWTVerifyOptions } from "jose";
import {
  JWKSMultipleMatchingKeys,
  JWSSignatureVerificationFailed,
  JWTClaimValidationFailed,
} from "jose/errors";
import { jwtVerify } from "jose/jwt/verify";
import { Refusal, type RefusalCode } from "./refusal.ts";
import { isObject } from "./subject.ts";
import { type Transmitter, Unreachable } from "./transmitter.ts";

/** A Security Event Token (RFC 8417) that its transmitter signed for this receiver. */
export interface Signal {
  readonly from: Transmitter;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly subject: Json | undefined;
  /** By event type. */
  readonly events: readonly (readonly [type: string, event: { readonly [name: string]: Json }])[];
}

/** A transmitter with its key. */
export interface Known {
  readonly transmitter: Transmitter;
  readonly key: JWK | JWTVerifyGetKey;
}

/** What OpenID's interoperability profile asks for, and Ed25519 by its older name; never a MAC, and never none. */
const ALGORITHMS = ["RS256", "Ed25519", "EdDSA"];
const TYPES: readonly unknown[] = ["secevent+jwt", "application/secevent+jwt"];
/** Seconds that `iat` may be ahead. */
const SKEW = 60;

/**
 * Verifies a token: `typ`, `iss`, signature, `aud`, `iat`, `jti`, `events`; strict JSON. What is not verified yet only
 * chooses the transmitter. Refuses as RFC 8935, 2.4 says; {@link Unreachable} where the keys could not be had. What
 * jose says of a failure is not kept: it holds the token's claims.
 */
export async function readSignal(
  token: string,
  known: ReadonlyMap<string, Known>,
  now: number,
): Promise<Signal> {
  const { header, claims } = opened(token);
  if (!TYPES.includes(header["typ"])) refuse("invalid_request", "typ is not secevent+jwt");
  const { iss, jti, iat, sub_id: subject, events } = claims;
  const { transmitter, key } = (typeof iss === "string" ? known.get(iss) : undefined) ?? {};
  if (!transmitter || !key) return refuse("invalid_issuer", "no such transmitter is known");
  await verify(token, transmitter, key, now);
  if (typeof jti !== "string" || jti === "") return refuse("invalid_request", "jti is not a text");
  if (typeof iat !== "number" || !Number.isSafeInteger(iat) || iat < 0 || iat > now + SKEW)
    return refuse("invalid_request", "iat is no date, or ahead");
  const named = isObject(events) ? Object.entries(events) : [];
  if (named.length === 0) return refuse("invalid_request", "there are no events");
  const all = named.map(([type, event]) =>
    isObject(event) ? ([type, event] as const) : refuse("invalid_request", "an event is no object"),
  );
  return { from: transmitter, jti, iat, subject, events: all };
}

function opened(token: string): { readonly header: Members; readonly claims: Members } {
  try {
    const { header, payload } = splitCompact(token);
    const claims = parseJson(payload);
    if (isObject(claims)) return { header, claims };
  } catch {
    // Refused below: there is nothing more to say of it.
  }
  return refuse("invalid_request", "not a compact JWS over an object with distinct names");
}

type Members = { readonly [name: string]: Json | undefined };

async function verify(
  token: string,
  { iss, audience }: Transmitter,
  key: Known["key"],
  now: number,
): Promise<void> {
  const options = {
    algorithms: ALGORITHMS,
    issuer: iss,
    audience,
    currentDate: new Date(now * 1000),
    clockTolerance: SKEW,
  };
  try {
    if (typeof key === "function") await jwtVerify(token, key, options).catch(byOneOf(token, options));
    else await jwtVerify(token, key, options);
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Refusal) throw error;
    if (error instanceof JWTClaimValidationFailed && error.claim === "aud")
      refuse("invalid_audience", "it is for somebody else");
    if (error instanceof JWTClaimValidationFailed) refuse("invalid_request", "a claim is not acceptable");
    refuse("invalid_key", "no acceptable key of the transmitter signed it");
  }
}

/** Of a token that does not name its key, where a set has several that it could be, as while they are rotated. */
function byOneOf(token: string, options: JWTVerifyOptions): (error: unknown) => Promise<unknown> {
  return async (error) => {
    if (!(error instanceof JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error)
      try {
        return await jwtVerify(token, key, options);
      } catch (cause) {
        if (!(cause instanceof JWSSignatureVerificationFailed)) throw cause;
      }
    throw error;
  };
}

export function refuse(err: RefusalCode, description: string): never {
  throw new Refusal(400, err, description);
}
