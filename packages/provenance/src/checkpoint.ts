import {
  type PublicJwk,
  type PublicKey,
  type Signer,
  fromBase64url,
  publicKey,
  toBase64url,
  utf8,
  verify,
} from "@behest/jws";
import { ProvenanceError, refusing } from "./error.ts";
import { type NoteSignature, fromBase64, isKeyName, keyId, parseNote, signNote, toBase64 } from "./note.ts";
import type { Head } from "./tree.ts";

/**
 * A log's signed size and root (C2SP tlog-checkpoint): a note whose text is
 * `<origin> LF <size, decimal> LF <base64 of the root> LF`, signed under the origin's name.
 */
export interface Checkpoint extends Head {
  /** The log's name: no white space, no plus sign, at most 255 characters. */
  readonly origin: string;
}

/** A checkpoint as it was read; no signature is checked. */
export interface ParsedCheckpoint extends Checkpoint {
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const SIZE = /^(?:0|[1-9][0-9]{0,15})$/;

/** Signs a checkpoint. Synchronous: throws `signer_async`; `malformed_checkpoint` for an origin that cannot be a name. */
export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  const { origin, size, root } = checkpoint;
  if (!isKeyName(origin) || !Number.isSafeInteger(size) || size < 0 || root.length !== 32)
    throw new ProvenanceError("malformed_checkpoint", "not an origin, a size and a root");
  return signNote(`${origin}\n${size}\n${toBase64(root)}\n`, origin, signer);
}

/** Strict reader of our own logs: no extension lines, no second spelling of anything. Throws `malformed_checkpoint`. */
export function parseCheckpoint(note: string): ParsedCheckpoint {
  const parsed = parseAnyCheckpoint(note);
  if (!isKeyName(parsed.origin) || parsed.text.split("\n").length !== 4)
    throw new ProvenanceError("malformed_checkpoint", "a checkpoint's text is origin, size and root");
  return parsed;
}

/** Of any log: its origin may hold blanks, and extension lines may follow, which nobody here reads. Throws `malformed_checkpoint`. */
export function parseAnyCheckpoint(note: string): ParsedCheckpoint {
  const { text, signatures } = parseNote(note);
  const [origin, digits, data, ...rest] = text.split("\n");
  const size = Number(digits);
  if (
    !origin ||
    !digits ||
    !SIZE.test(digits) ||
    !Number.isSafeInteger(size) ||
    !data ||
    rest.pop() !== "" ||
    rest.includes("") ||
    utf8(text).some((byte) => byte < 0x20 && byte !== 0x0a)
  )
    throw new ProvenanceError("malformed_checkpoint", "a checkpoint's text is origin, size and root");
  const root = fromBase64(data);
  if (root.length !== 32) throw new ProvenanceError("malformed_checkpoint", "a root has 32 bytes");
  return { origin, size, root, text, signatures };
}

/**
 * Reads a checkpoint of this log that this key signed. Lines of other keys are ignored; a line that names this
 * key and does not verify refuses the note. Throws `malformed_checkpoint`, `origin_mismatch`, `signature_invalid`.
 */
export async function verifyCheckpoint(
  note: string,
  log: { readonly origin: string; readonly jwk: PublicJwk },
): Promise<Checkpoint> {
  const parsed = parseCheckpoint(note);
  const { origin, size, root } = parsed;
  if (origin !== log.origin) throw new ProvenanceError("origin_mismatch", "a checkpoint is of another log");
  if (!(await signedBy(parsed, publicKey(log.jwk))))
    throw new ProvenanceError("signature_invalid", "a checkpoint is not signed by this key");
  return { origin, size, root };
}

/** True when a line names this key under the log's name, and every such line verifies. */
export async function signedBy(checkpoint: ParsedCheckpoint, key: PublicKey): Promise<boolean> {
  const { origin, text, signatures } = checkpoint;
  const id = keyId(origin, key.jwk);
  const lines = signatures.filter((line) => line.name === origin && line.id === id);
  for (const { signature } of lines) if (!(await verify(key, utf8(text), signature))) return false;
  return lines.length > 0;
}

/** `size:root`, root in base64url: a head as spans, stores and people carry it. */
export function headOf(head: Head): string {
  return `${head.size}:${toBase64url(head.root)}`;
}

/** Strict inverse of {@link headOf}; throws `malformed_head`. */
export function parseHead(text: string): Head {
  const [digits = "", data = "", ...rest] = text.split(":");
  const root = refusing("malformed_head", "a head's root is base64url", () => fromBase64url(data));
  const size = Number(digits);
  if (rest.length || !SIZE.test(digits) || !Number.isSafeInteger(size) || root.length !== 32)
    throw new ProvenanceError("malformed_head", "a head is size:root");
  return { size, root };
}
