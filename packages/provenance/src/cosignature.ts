import { type Signer, publicKey, utf8, verify } from "@behest/jws";
import { type ParsedCheckpoint, parseAnyCheckpoint } from "./checkpoint.ts";
import { ProvenanceError } from "./error.ts";
import { type NoteSignature, join, keyId, lineOf } from "./note.ts";
import type { NamedKey } from "./vkey.ts";

/** A witness saw this head, and that it extends what it had seen before (C2SP tlog-cosignature, Ed25519). */
export interface Cosignature extends NamedKey {
  /** Seconds since the epoch, as the witness says. */
  readonly at: number;
}

/** Bytes of the time before the signature, big-endian. */
const TIME = 8;

/** What is signed: a header line, a time line, and the whole text of the checkpoint, extension lines included. */
function message(at: number, text: string): Uint8Array {
  return utf8(`cosignature/v1\ntime ${at}\n${text}`);
}

/**
 * A witness's signature line for a checkpoint, newline included. `at`: seconds since the epoch. Whoever calls this
 * has settled that the checkpoint extends all it has cosigned of that origin. Throws `malformed_checkpoint`.
 */
export async function cosign(checkpoint: string, name: string, at: number, signer: Signer): Promise<string> {
  const { text } = parseAnyCheckpoint(checkpoint);
  if (!Number.isSafeInteger(at) || at <= 0)
    throw new ProvenanceError("malformed_checkpoint", "a time is whole seconds, and not zero");
  const time = new Uint8Array(TIME);
  new DataView(time.buffer).setBigUint64(0, BigInt(at));
  return lineOf(name, signer.jwk, "witness", join(time, await signer.sign(message(at, text))));
}

/**
 * The cosignatures of these witnesses under a checkpoint, one a witness, the latest where it has several. Lines of
 * other keys are ignored; one that names a witness's key and does not verify refuses them all (`signature_invalid`).
 */
export async function cosignaturesOf<K extends NamedKey>(
  { text, signatures }: Pick<ParsedCheckpoint, "text" | "signatures">,
  witnesses: readonly K[],
): Promise<readonly (K & Cosignature)[]> {
  const found: (K & Cosignature)[] = [];
  for (const witness of witnesses) {
    const id = keyId(witness.name, witness.jwk, "witness");
    const lines = signatures.filter((line) => line.name === witness.name && line.id === id);
    const times = await Promise.all(lines.map((line) => verified(line, text, witness)));
    if (times.length > 0) found.push({ ...witness, at: Math.max(...times) });
  }
  return found;
}

async function verified({ signature }: NoteSignature, text: string, { jwk }: NamedKey): Promise<number> {
  const view = new DataView(signature.buffer, signature.byteOffset, signature.byteLength);
  // A time beyond 2^53 seconds is none that anybody has lived through.
  const at = signature.length === TIME + 64 ? Number(view.getBigUint64(0)) : 0;
  const signed = at > 0 && Number.isSafeInteger(at);
  if (!signed || !(await verify(publicKey(jwk), message(at, text), signature.subarray(TIME))))
    throw new ProvenanceError("signature_invalid", "a witness's cosignature does not verify");
  return at;
}
