import { readBounded } from "@behest/jws";
import {
  type NamedKey,
  cosignaturesOf,
  keyId,
  parseCheckpoint,
  printAddCheckpoint,
  printLine,
} from "@behest/provenance";

/** What one witness says of a checkpoint. */
export type Said =
  /** Its line, verified, newline included. */
  | { readonly said: "cosigned"; readonly line: string }
  /** It has cosigned a longer log of this name: so many entries. */
  | { readonly said: "ahead"; readonly size: number }
  /** It has cosigned a log of this name that this is no extension of. */
  | { readonly said: "refused" }
  /** It could not be asked, or its answer could not be read. */
  | { readonly said: "nothing" };

/** ms for one request; characters of one answer. */
const PATIENCE = 10_000;
const MOST = 1 << 16;
const ATTEMPTS = 3;

/**
 * Submits a checkpoint to one witness (C2SP tlog-witness). `old`: how much of the log it is believed to have seen; where it
 * says otherwise it is asked again from there. `prove`: the proof from that size. Never throws.
 */
export async function ask(
  witness: NamedKey & { readonly url: string },
  asked: {
    readonly checkpoint: string;
    readonly old: number;
    readonly prove: (from: number) => Promise<readonly Uint8Array[]>;
    readonly signal: AbortSignal;
  },
): Promise<Said> {
  const { checkpoint, prove, signal } = asked;
  const { size } = parseCheckpoint(checkpoint);
  let { old } = asked;
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const body = printAddCheckpoint({ old, proof: await prove(old), checkpoint });
      const { status, text, type } = await post(`${witness.url}/add-checkpoint`, body, signal);
      if (status === 200) {
        const line = await lineIn(text, checkpoint, witness);
        return line === undefined ? { said: "nothing" } : { said: "cosigned", line };
      }
      if (status === 422) return { said: "refused" };
      if (status !== 409 || type !== "text/x.tlog.size" || !/^(?:0|[1-9][0-9]{0,15})\n$/.test(text)) break;
      old = Number(text);
      if (old > size) return { said: "ahead", size: old };
    }
  } catch {
    // Told by the answer: that it cannot be had is all there is to say.
  }
  return { said: "nothing" };
}

async function post(
  url: string,
  body: string,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string; readonly type: string | null }> {
  const patient = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
  const response = await fetch(url, { method: "POST", body, redirect: "error", signal: patient });
  const bytes = response.body ? await readBounded(response.body, MOST, patient) : new Uint8Array();
  if (!bytes) throw new TypeError("the answer is too long");
  const { status, headers } = response;
  return {
    status,
    text: new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    type: headers.get("content-type"),
  };
}

/** The witness's own line, where all that it calls its own verify: one of them, however many it sends. */
async function lineIn(text: string, checkpoint: string, witness: NamedKey): Promise<string | undefined> {
  const answered = parseCheckpoint(checkpoint + text);
  const [found] = await cosignaturesOf(answered, [witness]);
  const id = keyId(witness.name, witness.jwk, "witness");
  const lines = answered.signatures.filter((line) => line.name === witness.name && line.id === id);
  return found && printLine(lines[0]!);
}
