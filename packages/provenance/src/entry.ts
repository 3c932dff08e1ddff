import {
  type PublicKey,
  type Signer,
  fromBase64url,
  sha256,
  splitCompact,
  thumbprint,
  toBase64url,
  utf8,
  verify,
} from "@behest/jws";
import { ProvenanceError, atOnce, refusing } from "./error.ts";

/** Characters of one entry; {@link parseEntry} refuses more. A trust manifest of thousands of keys fits. */
export const MAX_ENTRY: number = 1 << 20;

/**
 * One signed line of the log, taken apart. A compact JWS over canonical JSON, whose protected header is exactly
 * `{"alg":"Ed25519","kid":<thumbprint of the entry key>,"seq":<number>,"typ":"behest-entry+jwt"}`.
 */
export interface Entry {
  readonly kid: string;
  /** The emitter's own counter: 0 for the entry that carries its certificate, then one more each time. A gap is a loss. */
  readonly seq: number;
  /** Payload text; see `parsePayload`. */
  readonly payload: string;
  /** Leaf hash, base64url. */
  readonly hash: string;
  readonly jws: string;
}

/** The header up to its number: a thumbprint is too dear to take for every entry. */
const prefixes = new WeakMap<Signer, string>();

function headPrefix(kid: string): string {
  return `{"alg":"Ed25519","kid":"${kid}","seq":`;
}

/**
 * Signs one entry. `payload` is canonical JSON and is not looked at; `seq` belongs to the emitter that owns
 * `signer`, and is given back when the entry is not appended. Synchronous: throws `signer_async`, and `too_large`
 * beyond {@link MAX_ENTRY}, which no verifier would read.
 */
export function signEntry(payload: string, seq: number, signer: Signer): string {
  let prefix = prefixes.get(signer);
  if (prefix === undefined) prefixes.set(signer, (prefix = headPrefix(thumbprint(signer.jwk))));
  const input = `${header(prefix, seq)}.${toBase64url(payload)}`;
  if (input.length > MAX_ENTRY - 100)
    throw new ProvenanceError("too_large", "an entry is longer than verifiers read");
  return `${input}.${toBase64url(atOnce(signer.sign(utf8(input))))}`;
}

function header(prefix: string, seq: number): string {
  return toBase64url(`${prefix}${seq},"typ":"behest-entry+jwt"}`);
}

/** Leaf hash of an entry: SHA-256(0x00 ‖ its ASCII bytes) (RFC 6962, 2.1). */
export function entryHash(jws: string): Uint8Array {
  return sha256("\0" + jws);
}

/** Takes an entry apart; its signature is not checked. Throws `malformed_entry`. */
export function parseEntry(jws: string): Entry {
  if (jws.length > MAX_ENTRY) throw new ProvenanceError("malformed_entry", "an entry is too long");
  const parts = refusing("malformed_entry", "an entry is not a compact JWS", () => splitCompact(jws));
  const { kid, seq } = parts.header;
  const exact =
    typeof kid === "string" &&
    typeof seq === "number" &&
    Number.isSafeInteger(seq) &&
    seq >= 0 &&
    parts.input.startsWith(`${header(headPrefix(kid), seq)}.`);
  if (!exact)
    throw new ProvenanceError(
      "malformed_entry",
      "an entry's header is not alg, kid, seq, typ in canonical JSON",
    );
  return { kid, seq, payload: parts.payload, hash: toBase64url(entryHash(jws)), jws };
}

/** True when `key` is the one the entry names and its signature verifies. Synchronous on Node, a promise elsewhere. */
export function verifyEntry(entry: Entry, key: PublicKey): boolean | Promise<boolean> {
  if (thumbprint(key.jwk) !== entry.kid) return false;
  const end = entry.jws.lastIndexOf(".");
  return verify(key, utf8(entry.jws.slice(0, end)), fromBase64url(entry.jws.slice(end + 1)));
}
