import {
  type Json,
  type PublicJwk,
  canonicalPresent,
  fromBase64url,
  sha256,
  toBase64url,
  utf8,
} from "@behest/jws";
import { type Key, first, holderOf, issuer, second, third } from "./key.ts";

export const NOW = 1_800_000_000;
export const ISSUER = "https://issuer.test";
export const ME = "https://me.test";
export const ANCHORS: { readonly iss: string; readonly jwk: PublicJwk }[] = [
  { iss: ISSUER, jwk: issuer.jwk },
];
const HOLDER_URI = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

/** Members to replace, or with `undefined` to leave out. */
type Changes = { readonly [member: string]: Json | undefined };

interface Signing {
  /** Members beside `alg` and `typ`, or the whole header's text. */
  readonly header?: Changes | string;
  readonly key?: Key;
  /** The last change to the canonical text of the claims. */
  readonly text?: (claims: string) => string;
}

/** A compact JWS over whatever it is given. */
export function jws(header: string, payload: string | Uint8Array, key: Key): string {
  const input = `${toBase64url(header)}.${toBase64url(payload)}`;
  return `${input}.${toBase64url(key.sign(input))}`;
}

function signed(typ: string, claims: Changes, key: Key, { header = {}, text }: Signing): string {
  const head = typeof header === "string" ? header : canonicalPresent({ alg: "Ed25519", typ, ...header });
  const written = canonicalPresent(claims);
  const changed = text ? text(written) : written;
  if (text && changed === written) throw new Error("a change to the text changes nothing");
  return jws(head, changed, key);
}

/** The claim of a grant. */
export function granting(tools: Json): Changes {
  return { authorization_details: [{ type: "attenuating_agent_token", tools }] };
}

/** The header of a token that carries restrictions. */
export function restricting(bhst: Json): Changes {
  return { crit: ["bhst"], bhst };
}

export function root(changes: Changes = {}, signing: Signing = {}): string {
  const claims = {
    jti: "root",
    iss: ISSUER,
    iat: NOW - 100,
    exp: NOW + 3600,
    cnf: { jwk: first.jwk },
    del_depth: 0,
    del_max_depth: 3,
    ...granting({ t: {} }),
    ...changes,
  };
  return signed("aat+jwt", claims, signing.key ?? issuer, signing);
}

/** A child that permits what its parent does, for the next of the holders. */
export function child(parent: string, changes: Changes = {}, signing: Signing = {}): string {
  const held = claimsOf(parent);
  const key = holderOf(held.cnf.jwk);
  const depth = held.del_depth + 1;
  const claims = {
    jti: `hop-${depth}`,
    iss: HOLDER_URI + key.thumbprint,
    iat: held.iat,
    exp: held.exp,
    cnf: { jwk: key === first ? second.jwk : third.jwk },
    del_depth: depth,
    del_max_depth: held.del_max_depth,
    par_hash: hashOf(parent),
    authorization_details: held.authorization_details,
    ...changes,
  };
  return signed("aat+jwt", claims, signing.key ?? key, signing);
}

/** That the leaf's holder makes this call. */
export function proof(leaf: string, changes: Changes = {}, signing: Signing = {}): string {
  const held = claimsOf(leaf);
  const claims = {
    jti: "proof",
    iat: NOW,
    aat_id: held.jti,
    aat_hash: hashOf(leaf),
    aat_tool: "t",
    hta: {},
    ...changes,
  };
  return signed("aat-pop+jwt", claims, signing.key ?? holderOf(held.cnf.jwk), signing);
}

interface Held {
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  readonly cnf: { readonly jwk: Key["jwk"] };
  readonly del_depth: number;
  readonly del_max_depth: number;
  readonly authorization_details: Json;
}

function claimsOf(token: string): Held {
  return JSON.parse(Buffer.from(fromBase64url(token.split(".")[1]!)).toString()) as Held;
}

/** base64url SHA-256 of `header.payload`. */
export function hashOf(token: string): string {
  return toBase64url(sha256(utf8(token.slice(0, token.lastIndexOf(".")))));
}

/** A token with one of its three segments changed, not signed again. */
export function segment(token: string, index: 0 | 1 | 2, change: (segment: string) => string): string {
  return token
    .split(".")
    .map((part, at) => (at === index ? change(part) : part))
    .join(".");
}
