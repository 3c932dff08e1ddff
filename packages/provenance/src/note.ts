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

/** Characters, and signature lines. */
const MAX_NOTE = 1 << 16;
const MAX_SIGNATURES = 100;
/** Key names have no white space and no plus sign, so that a line splits one way only. */
const NAME = /^[^\p{White_Space}\p{Cc}\p{Cs}+]{1,255}$/u;
const LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u;

export function isKeyName(name: string): boolean {
  return NAME.test(name);
}

/** Key id of an Ed25519 key under a name: the first 4 bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key), base64. */
export function keyId(name: string, jwk: PublicJwk): string {
  return toBase64(idBytes(name, jwk));
}

function idBytes(name: string, jwk: PublicJwk): Uint8Array {
  return sha256(join(utf8(`${name}\n\x01`), fromBase64url(jwk.x))).subarray(0, 4);
}

/** Signs `text`. Synchronous: throws `signer_async`. */
export function signNote(text: string, name: string, signer: Signer): string {
  const signature = atOnce(signer.sign(utf8(text)));
  return `${text}\n— ${name} ${toBase64(join(idBytes(name, signer.jwk), signature))}\n`;
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

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
