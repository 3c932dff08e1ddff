import { type Json, type PublicKey, checkHeader, fromBase64url, fromUtf8, utf8, verify } from "@behest/jws";
import { type DelegationCode, DelegationError } from "../error.ts";
import { parseWritten } from "./number.ts";
import { type Restrictions, malformedRestriction } from "../restrictions/restrictions.ts";

export const TOKEN_TYPE = "aat+jwt";
export const PROOF_TYPE = "aat-pop+jwt";
/** `iss` of a child: this, then the thumbprint of the key that signed it. */
export const THUMBPRINT_URI = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

export type Claims = { readonly [name: string]: Json | undefined };

/** A compact JWS taken apart. Its claims are for {@link verifySignature} to release, `jti` excepted. */
export interface Token {
  /** Header segment, as received. */
  readonly head: string;
  /** ASCII `header.payload`, exactly as received. */
  readonly input: string;
  /** Signature segment, as received. */
  readonly tail: string;
  /** `undefined` when it is not UTF-8 JSON. */
  readonly payload: Payload | undefined;
}

interface Payload {
  readonly value: Json;
  /** Every number was in canonical form; otherwise values must be settled before they are read. */
  readonly exact: boolean;
  /** A member name is repeated. */
  readonly repeated: boolean;
}

/** The headers that this package writes: the common case costs one comparison. */
const OWN_HEAD: { readonly [typ: string]: string } = {
  [TOKEN_TYPE]: "eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiYWF0K2p3dCJ9",
  [PROOF_TYPE]: "eyJhbGciOiJFZDI1NTE5IiwidHlwIjoiYWF0LXBvcCtqd3QifQ",
};

/** Splits a token and reads its payload; `undefined` when it is not three segments. */
export function openToken(text: string): Token | undefined {
  const first = text.indexOf(".");
  const second = text.indexOf(".", first + 1);
  if (first < 0 || second < 0 || text.includes(".", second + 1)) return undefined;
  return {
    head: text.slice(0, first),
    input: text.slice(0, second),
    tail: text.slice(second + 1),
    payload: readPayload(text.slice(first + 1, second)),
  };
}

function readPayload(segment: string): Payload | undefined {
  let text: string;
  try {
    text = fromUtf8(fromBase64url(segment));
  } catch {
    return undefined;
  }
  try {
    return { ...parseWritten(text), repeated: false };
  } catch (error) {
    if (!isRepeated(error)) return undefined;
  }
  // Refused after its signature, not before: only `jti` is read from this.
  return { value: JSON.parse(text) as Json, exact: false, repeated: true };
}

function isRepeated(error: unknown): boolean {
  return (error as { code?: unknown }).code === "duplicate_member";
}

/**
 * `alg`, `typ` and `crit` (steps 3a, 4a, 7a); gives what `bhst` restricts. Throws `header_refused`, also for a
 * `bhst` that `crit` does not name: others would ignore it.
 */
export function verifyHeader(token: Token, typ: string, step: string, hop: number): Restrictions | undefined {
  if (token.head === OWN_HEAD[typ]) return undefined;
  let restricting: Json | undefined;
  try {
    const header = parseWritten(fromUtf8(fromBase64url(token.head))).value;
    if (!isObject(header)) throw new TypeError("a header is an object");
    checkHeader(header, { typ, crit: typ === TOKEN_TYPE ? ["bhst"] : [] });
    if (typ !== TOKEN_TYPE || !Object.hasOwn(header, "bhst")) return undefined;
    restricting = header["crit"] === undefined ? undefined : header["bhst"];
  } catch (cause) {
    throw new DelegationError(
      "header_refused",
      `${step}: header of token ${hop}: alg, typ or crit is not acceptable`,
      { step, hop, cause },
    );
  }
  const malformed = restricting === undefined ? "crit" : malformedRestriction(restricting);
  if (malformed !== undefined)
    refuse("header_refused", step, hop, `${malformed} is not a well-formed restriction`);
  return restricting as Restrictions;
}

/** Whether the signature verifies under `key`. A promise only where the platform has no synchronous verification. */
export function verifySignature(token: Token, key: PublicKey): boolean | Promise<boolean> {
  let signature: Uint8Array;
  try {
    signature = fromBase64url(token.tail);
  } catch {
    return false;
  }
  return verify(key, utf8(token.input), signature);
}

/** Claims of a token whose signature verified: an object without repeated names. */
export function verifiedClaims(token: Token, step: string, hop: number): Claims {
  const { payload } = token;
  if (!payload || payload.repeated || !isObject(payload.value))
    return refuse("malformed_delegation", step, hop, "claims are not a JSON object with distinct names");
  return payload.value;
}

/** A parsed JSON object; not what stands for a number in an odd spelling. */
export function isObject(value: unknown): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function isText(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "";
}

export function refuse(code: DelegationCode, step: string, hop: number, what: string): never {
  throw new DelegationError(code, `${step}: token ${hop}: ${what}`, { step, hop });
}
