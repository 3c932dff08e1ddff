import { ProvenanceError } from "./error.ts";
import { fromBase64, toBase64 } from "./note.ts";

/**
 * What is submitted to a witness (C2SP tlog-witness, `add-checkpoint`): `old <size> LF`, one base64 line a hash of
 * the consistency proof, an empty line, and the checkpoint.
 */
export interface AddCheckpoint {
  /** Size of what the witness has cosigned last of this log; 0 for nothing. */
  readonly old: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note. */
  readonly checkpoint: string;
}

const MAX_PROOF = 63;
const OLD = /^old (0|[1-9][0-9]{0,15})$/;

export function printAddCheckpoint({ old, proof, checkpoint }: AddCheckpoint): string {
  return [`old ${old}`, ...proof.map(toBase64), "", checkpoint].join("\n");
}

/** Strict inverse; the checkpoint is only cut off, not read. Throws `malformed_request`. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const end = body.indexOf("\n\n");
  const [first = "", ...lines] = body.slice(0, Math.max(end, 0)).split("\n");
  const old = Number(OLD.exec(first)?.[1]);
  if (!Number.isSafeInteger(old) || lines.length > MAX_PROOF) throw malformed();
  const proof = lines.map((line) => {
    const hash = line.length === 44 ? hashOf(line) : undefined;
    if (hash?.length !== 32) throw malformed();
    return hash;
  });
  return { old, proof, checkpoint: body.slice(end + 2) };
}

function hashOf(line: string): Uint8Array | undefined {
  try {
    return fromBase64(line);
  } catch {
    return undefined;
  }
}

function malformed(): ProvenanceError {
  return new ProvenanceError(
    "malformed_request",
    "a request is an old size, at most 63 hashes, an empty line and a checkpoint",
  );
}
