import { CodedError, type Json, type PublicKey, parseJson, verifyCompact } from "@behest/jws";
import { MAX_ENTRY } from "./entry.ts";
import { type ProvenanceCode, ProvenanceError } from "./error.ts";
import type { Check } from "./shape.ts";

/** What a compact JWS of this kind must be. */
export interface ClaimsRule {
  readonly typ: string;
  readonly code: ProvenanceCode;
  readonly shape: Check;
}

/** The claims of a JWS that verifies under `key`. Throws `signature_invalid`, and the rule's code for all else. */
export async function readClaims<T>(jws: string, key: PublicKey, rule: ClaimsRule): Promise<T> {
  if (jws.length > MAX_ENTRY) throw new ProvenanceError(rule.code, `${rule.typ}: too long`);
  let claims: Json;
  try {
    claims = parseJson((await verifyCompact(jws, key, rule)).payload);
  } catch (cause) {
    const forged = CodedError.isInstance(cause) && cause.code === "signature_invalid";
    throw new ProvenanceError(forged ? "signature_invalid" : rule.code, `not a signed ${rule.typ}`, {
      cause,
    });
  }
  const path = rule.shape(claims);
  if (path !== undefined)
    throw new ProvenanceError(rule.code, `${rule.typ}: "${path || "claims"}" is missing or malformed`);
  return claims as T;
}
