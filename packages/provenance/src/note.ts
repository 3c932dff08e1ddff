import { type PublicJwk, type Signer, fromBase64url, sha256, toBase64url, utf8 } from "@behest/jws";
import { ProvenanceError, atOnce, refusing } from "./error.ts";

/**
 * A C2SP signed note: text that ends in a newline, an empty line, then one line a signature:
 * `— <name> <base64(4 bytes of key id ‖ signature)>`. Anybody may add lines; those of unknown keys are ignored.
 */
export interface Note {
  /** What is signed, its last newline included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes, base64: a hint which key to try, no proof of anything. */
  readonly id: string;
  readonly signature: Uint8Array;
}

/** Characters, and signature lines: the specification asks for 16 at least, and post-quantum ones are near 5 kB each. */
const MAX_NOTE = 1 << 17;
const MAX_SIGNATURES = 100;

/** First byte of a key's material: what its signatures are made over (C2SP signed-note, "Signature types"). */
export const KEY_TYPES = {
  /** Ed25519 over the note's text. */
  log: 0x01,
  /** Ed25519 over a time and the note's text (C2SP tlog-cosignature). */
  witness: 0x04,
} as const;
export type KeyType = keyof typeof KEY_TYPES;
/** Key names have no white space and no plus sign, so that a line splits one way only. */
const NAME = /^[^\p{White_Space}\p{Cc}\p{Cs}+]{1,255}$/u;
const LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;

export function isKeyName(name: string): boolean {
  return NAME.test(name);
}

/** Key id of an Ed25519 key under a name: the first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), base64. */
export function keyId(name: string, jwk: PublicJwk, type: KeyType = "log"): string {
  return toBase64(idBytes(name, jwk, type));
}

export function idBytes(name: string, jwk: PublicJwk, type: KeyType): Uint8Array {
  const prefix = join(utf8(`${name}\n`), Uint8Array.of(KEY_TYPES[type]));
  return sha256(join(prefix, fromBase64url(jwk.x))).subarray(0, 4);
}

/** Signs `text`. Synchronous: throws `signer_async`. */
export function signNote(text: string, name: string, signer: Signer): string {
  return `${text}\n${lineOf(name, signer.jwk, "log", atOnce(signer.sign(utf8(text))))}`;
}

/** Adds a signature to a note; the key may be in a KMS. Throws `malformed_checkpoint` for what is no note, or no name. */
export async function addSignature(note: string, name: string, signer: Signer): Promise<string> {
  const { text } = parseNote(note);
  return note + lineOf(name, signer.jwk, "log", await signer.sign(utf8(text)));
}

/** One signature line, its newline included. */
export function lineOf(name: string, jwk: PublicJwk, type: KeyType, signature: Uint8Array): string {
  if (!isKeyName(name)) throw new ProvenanceError("malformed_checkpoint", "not a key's name");
  return `— ${name} ${toBase64(join(idBytes(name, jwk, type), signature))}\n`;
}

/** The same of a line that was read. */
export function printLine({ name, id, signature }: NoteSignature): string {
  return `— ${name} ${toBase64(join(fromBase64(id), signature))}\n`;
}

/** Takes a note apart and checks no signature. A line that is not one refuses the note: `malformed_checkpoint`. */
export function parseNote(note: string): Note {
  if (note.length > MAX_NOTE) throw new ProvenanceError("malformed_checkpoint", "a signed note is too long");
  const end = note.lastIndexOf("\n\n") + 1;
  const lines = note.slice(end + 1).split("\n");
  if (
    end === 0 ||
    lines.pop() !== "" ||
    lines.length === 0 ||
    lines.length > MAX_SIGNATURES ||
    !note.isWellFormed()
  )
    throw new ProvenanceError(
      "malformed_checkpoint",
      "a signed note is text, an empty line and signature lines",
    );
  return { text: note.slice(0, end), signatures: lines.map(parseLine) };
}

function parseLine(line: string): NoteSignature {
  const [, name, data] = LINE.exec(line) ?? [];
  if (name === undefined || data === undefined || !isKeyName(name))
    throw new ProvenanceError("malformed_checkpoint", "a signature line is malformed");
  const bytes = fromBase64(data);
  if (bytes.length < 5) throw new ProvenanceError("malformed_checkpoint", "a signature line is too short");
  return { name, id: toBase64(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
}

/** base64 with padding (RFC 4648, 4), which notes use. */
export function toBase64(bytes: Uint8Array): string {
  const text = toBase64url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/** Strict inverse of {@link toBase64}; throws `malformed_checkpoint`. */
export function fromBase64(text: string): Uint8Array {
  const url = text
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/={1,2}$/, "");
  const bytes = refusing("malformed_checkpoint", "not canonical base64", () => fromBase64url(url));
  if (toBase64(bytes) !== text) throw new ProvenanceError("malformed_checkpoint", "not canonical base64");
  return bytes;
}

export function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
