import { type Json, fromBase64url, fromUtf8, parseJson } from "@behest/jws";
import { type JWTVerifyGetKey, jwtVerify } from "jose/jwt/verify";
import { createRemoteJWKSet } from "jose/jwks/remote";
import { JWKSMultipleMatchingKeys, JWKSNoMatchingKey, JWTExpired } from "jose/errors";
import { DelegationError } from "./error.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isInteger } from "./token/number.ts";
import { text } from "./request.ts";
import { type Claims, type Token, isObject, isText, openToken } from "./token/token.ts";

/** A public JWK (RFC 7517) of an authorization server; RSA of at least 2048 bits, EC or OKP. */
export interface AccessTokenKey {
  readonly kty: string;
  readonly [member: string]: unknown;
}

/** An authorization server, by its name and by a key or the https URL of its JWK set. */
export type AuthorizationServer = {
  /** Exactly what its tokens' `iss` says. */
  readonly iss: string;
} & (
  | { readonly jwk: AccessTokenKey; readonly jwks?: never }
  | { readonly jwks: string | URL; readonly jwk?: never }
);

/** What an access token says, once it is verified. */
export interface AccessToken {
  readonly sub: string;
  readonly client: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly exp: number;
  /** Thumbprint of the key that it is bound to (RFC 9449, 6.1). */
  readonly bound: string | undefined;
  /** Numbers not settled. */
  readonly details: readonly Json[];
}

interface Expected {
  readonly server: AuthorizationServer;
  readonly audience: string;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** What authorization servers sign with; never a MAC, whose key a verifier would share. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"];
const TYPES: readonly unknown[] = ["at+jwt", "application/at+jwt"];

/**
 * An access token in the profile of RFC 9068, verified as its section 4 says. Throws `access_token_refused`,
 * `access_token_expired`, `issuer_unreachable`, `malformed_request`. What jose says of a failure is not kept
 * as its cause: it holds the token's claims.
 */
export async function readAccessToken(token: string, expected: Expected): Promise<AccessToken> {
  const claims = strictClaims(token);
  const { server, audience, now } = expected;
  const options = {
    algorithms: ALGORITHMS,
    // jose skips the comparison with a name that is missing.
    issuer: text(server.iss, "authorizationServer.iss"),
    audience,
    currentDate: new Date(now * 1000),
  };
  const key = keyOf(server);
  try {
    await (typeof key === "function" ? jwtVerify(token, key, options) : jwtVerify(token, key, options));
  } catch (error) {
    if (DelegationError.isInstance(error)) throw error;
    if (error instanceof JWTExpired)
      throw new DelegationError("access_token_expired", "access token: expired");
    return refuse("signature, alg, iss, aud or a required claim is not acceptable");
  }
  const { sub, client_id: client, jti, iat, exp, cnf, authorization_details: details } = claims;
  if (!isText(sub) || !isText(client) || !isText(jti)) return refuse("sub, client_id or jti is not a text");
  // RFC 9068, 2.2 and 5: where no person took part, the subject is the client itself.
  if (sub === client) return refuse("it is the client's own: no person consented");
  if (!isInteger(iat) || !isInteger(exp)) return refuse("iat or exp is not a date in whole seconds");
  if (!(iat <= now + DEFAULT_LIMITS.maxIatSkew && iat < exp)) return refuse("iat is ahead, or after exp");
  if (!Array.isArray(details)) return refuse("it has no authorization_details (RFC 9396)");
  return { sub, client, jti, exp, bound: boundTo(cnf), details: details as readonly Json[] };
}

/** jose takes the last of two members of one name; here there is none. Nothing of this is verified yet. */
function strictClaims(compact: string): Claims {
  if (typeof compact !== "string" || !(compact.length <= DEFAULT_LIMITS.maxTokenSize))
    return refuse("not a text of bounded size");
  const token = openToken(compact);
  const claims = token?.payload?.repeated === false ? token.payload.value : undefined;
  if (!token || !isObject(claims)) return refuse("not a compact JWS over claims with distinct names");
  if (!TYPES.includes(headerOf(token)["typ"])) return refuse("typ is not at+jwt");
  return claims;
}

function headerOf({ head }: Token): Claims {
  let header: Json;
  try {
    header = parseJson(fromUtf8(fromBase64url(head)));
  } catch {
    return refuse("its header is not strict JSON");
  }
  return isObject(header) ? header : refuse("its header is not an object");
}

/** Bound by DPoP, to a key whose thumbprint is stated, or not at all: a binding that is ignored is a hole. */
function boundTo(cnf: Json | undefined): string | undefined {
  if (cnf === undefined) return undefined;
  const jkt = isObject(cnf) && Object.keys(cnf).length === 1 ? cnf["jkt"] : undefined;
  return isText(jkt) ? jkt : refuse("it is bound to something else than a DPoP key (cnf.jkt)");
}

/** One per URL and process: jose keeps each for ten minutes, and asks again for a new key every 30 s at most. */
const remotes = new Map<string, JWTVerifyGetKey>();

function keyOf({ jwk, jwks }: AuthorizationServer): AccessTokenKey | JWTVerifyGetKey {
  if ((jwk === undefined) === (jwks === undefined))
    throw new DelegationError("malformed_request", "authorizationServer: name either jwk or jwks");
  if (jwk !== undefined) {
    if (Object.hasOwn(jwk, "d") || Object.hasOwn(jwk, "k"))
      throw new DelegationError("malformed_request", "authorizationServer: expected a public key");
    return jwk;
  }
  const url = URL.canParse(String(jwks)) ? new URL(jwks) : undefined;
  if (url?.protocol !== "https:")
    throw new DelegationError("malformed_request", "authorizationServer: a key set needs an https URL");
  let remote = remotes.get(url.href);
  if (!remote) remotes.set(url.href, (remote = reachable(createRemoteJWKSet(url))));
  return remote;
}

/** A key set without the token's key refuses the token; one that cannot be had is another matter. */
function reachable(find: ReturnType<typeof createRemoteJWKSet>): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await find(header, token);
    } catch (cause) {
      if (cause instanceof JWKSNoMatchingKey || cause instanceof JWKSMultipleMatchingKeys) throw cause;
      throw new DelegationError("issuer_unreachable", "authorizationServer: its key set could not be used", {
        cause,
      });
    }
  };
}

function refuse(what: string): never {
  throw new DelegationError("access_token_refused", `access token: ${what}`);
}
