import { type Json, type PublicJwk, publicJwk, sha256, toBase64url } from "@behest/jws";
import type { AatTools } from "../constraints/constraint.ts";
import type { VerificationLimits } from "../limits.ts";
import { isInteger, settle } from "./number.ts";
import type { OrdinaryClaims } from "./ordinary.ts";
import type { Restrictions } from "../restrictions/restrictions.ts";
import { type Claims, type Token, isObject, refuse } from "./token.ts";
import { areTools, malformedTool, normalTools } from "../constraints/tools.ts";

/** What one token of a verified chain says. */
export interface HopClaims extends OrdinaryClaims {
  readonly jti: string;
  readonly iss: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  readonly depth: number;
  readonly maxDepth: number;
  /** RFC 7638 thumbprint of the key this token is bound to, and the key. */
  readonly holder: string;
  readonly jwk: PublicJwk;
  /** base64url SHA-256 of the signing input: `par_hash` of a child, `aat_hash` of a proof. */
  readonly hash: string;
  /** What restricts beyond AAT; tighter at every hop. */
  readonly restrictions: Restrictions | undefined;
}

/** A token that passed steps 3 or 4, with what later steps need. */
export interface Hop {
  readonly claims: HopClaims;
  /** Normal; `undefined` without an `attenuating_agent_token` entry, which is the empty set. */
  readonly tools: AatTools | undefined;
  /** `aud` as it stands. */
  readonly audience: Json | undefined;
}

export interface Clock {
  /** Seconds since the epoch. */
  readonly now: number;
  readonly limits: VerificationLimits;
}

export const GRANT_TYPE = "attenuating_agent_token";

/** `cnf.jwk`, a usable public key (3l, 4b2). It is checked, not imported: a leaf's is not needed to verify a chain. */
export function holderKey(claims: Claims, step: string, hop: number): PublicJwk {
  const cnf = claims["cnf"];
  try {
    return publicJwk(isObject(cnf) ? cnf["jwk"] : undefined);
  } catch {
    return refuse("malformed_delegation", step, hop, "cnf.jwk is not an Ed25519 public key");
  }
}

/** A date (3b, 4b5): an integer in JSON, seconds since the epoch. */
export function date(claims: Claims, name: "iat" | "exp", step: string, hop: number): number {
  const value = claims[name];
  if (!isInteger(value)) refuse("malformed_delegation", step, hop, `${name} is not a date`);
  return value;
}

/**
 * The one entry of our type, its tools well-formed and normal; `undefined` when there is none.
 * `shape` is the step for the entry (3m, 4n), `content` that for its constraints (3n, 4o).
 */
export function grantedTools(
  token: Token,
  details: readonly Json[],
  steps: { readonly shape: string; readonly content: string },
  limits: VerificationLimits,
  hop: number,
): AatTools | undefined {
  const entries = details.filter((entry) => isObject(entry) && entry["type"] === GRANT_TYPE);
  if (entries.length > 1) refuse("malformed_delegation", steps.shape, hop, "more than one grant entry");
  if (entries.length === 0) return undefined;
  const written = (entries[0] as { readonly [name: string]: Json })["tools"];
  if (!areTools(written))
    refuse("malformed_delegation", steps.shape, hop, "tools is not an object of objects");
  const tools = token.payload?.exact ? written : (settle(written) as AatTools | undefined);
  const path = tools === undefined ? "tools" : malformedTool(tools, limits);
  if (tools === undefined || path !== undefined)
    refuse("malformed_grant", steps.content, hop, `${path ?? "tools"} is not well-formed`);
  return normalTools(tools);
}

export function signingHash(token: Token): string {
  return toBase64url(sha256(token.input));
}
