import { type Signer, fromBase64url, publicKey, sha256, toBase64url } from "@behest/jws";
import {
  type AddCheckpoint,
  type Head,
  type NamedKey,
  type ParsedCheckpoint,
  ProvenanceError,
  cosign,
  keyId,
  parseAddCheckpoint,
  parseAnyCheckpoint,
  printLine,
  signedBy,
  verifyConsistency,
} from "@behest/provenance";
import type { State } from "./state.ts";

/** A log that is watched: its origin, and the keys that its checkpoints are signed with. */
export interface Log {
  readonly origin: string;
  readonly keys: readonly NamedKey[];
}

export interface Answer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly type?: "text/x.tlog.size";
  readonly body: string;
}

const EMPTY: Head = { size: 0, root: sha256("") };

/** A C2SP tlog-witness: it cosigns a log's checkpoint when that extends what it has cosigned before. */
export class Witness {
  readonly name: string;
  readonly #signer: Signer;
  readonly #logs: ReadonlyMap<string, Log>;
  readonly #state: State;
  /** ms since the epoch. */
  readonly #clock: () => number;

  constructor(
    name: string,
    signer: Signer,
    parts: { logs: readonly Log[]; state: State; clock?: () => number },
  ) {
    this.name = name;
    this.#signer = signer;
    this.#logs = new Map(parts.logs.map((log) => [log.origin, log]));
    this.#state = parts.state;
    this.#clock = parts.clock ?? Date.now;
  }

  /** `add-checkpoint`; its checks in the order of the specification. */
  async add(body: string): Promise<Answer> {
    let asked: AddCheckpoint;
    let note: ParsedCheckpoint;
    try {
      asked = parseAddCheckpoint(body);
      note = parseAnyCheckpoint(asked.checkpoint);
    } catch (error) {
      if (!(error instanceof ProvenanceError)) throw error;
      return { status: 400, body: `${error.message}\n` };
    }
    const log = this.#logs.get(note.origin);
    if (!log) return { status: 404, body: "this log is not watched here\n" };
    const lines = await signedLines(note, log);
    if (!lines) return { status: 403, body: "no key of this log signed the checkpoint\n" };
    if (asked.old > note.size) return { status: 400, body: "the old size is the larger one\n" };
    const latest = this.#state.latest(log.origin);
    if (asked.old !== (latest?.size ?? 0)) return conflict(latest?.size);
    const from = latest ? { size: latest.size, root: fromBase64url(latest.root) } : EMPTY;
    if (!verifyConsistency(asked.proof, from, note))
      return { status: 422, body: "the checkpoint is not shown to extend what was cosigned before\n" };
    const at = Math.floor(this.#clock() / 1000);
    const cosignature = await cosign(asked.checkpoint, this.name, at, this.#signer);
    const next = {
      size: note.size,
      root: toBase64url(note.root),
      note: `${note.text}\n${lines}${cosignature}`,
    };
    // Compared and kept in one step: what another request has brought meanwhile is not rolled back.
    if (!this.#state.advance(log.origin, latest, next)) return conflict(this.#state.latest(log.origin)?.size);
    return { status: 200, body: cosignature };
  }

  /** The latest cosigned checkpoint of the log whose origin has this SHA-256, in hex. */
  checkpoint(hash: string): string | undefined {
    for (const origin of this.#logs.keys())
      if (Buffer.from(sha256(origin)).toString("hex") === hash) return this.#state.latest(origin)?.note;
    return undefined;
  }
}

function conflict(size = 0): Answer {
  return { status: 409, type: "text/x.tlog.size", body: `${size}\n` };
}

/** The lines of the log's keys; undefined where there is none, or one does not verify. */
async function signedLines(note: ParsedCheckpoint, { keys }: Log): Promise<string | undefined> {
  let lines = "";
  for (const { name, jwk } of keys) {
    const id = keyId(name, jwk);
    const own = note.signatures.filter((line) => line.name === name && line.id === id);
    if (own.length === 0) continue;
    if (!(await signedBy({ ...note, signatures: own, origin: name }, publicKey(jwk)))) return undefined;
    lines += own.map(printLine).join("");
  }
  return lines || undefined;
}
