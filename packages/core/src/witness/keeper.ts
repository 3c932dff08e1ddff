import type { Signer } from "@behest/jws";
import {
  type Head,
  addSignature,
  consistencyProof,
  headOf,
  parseCheckpoint,
  verifyConsistency,
} from "@behest/provenance";
import { headIn } from "../store/head.ts";
import type { Engine, Subtree } from "../store/types.ts";
import { type Said, ask } from "./ask.ts";
import type { Witnesses } from "./config.ts";

interface Parts {
  readonly engine: Pick<Engine, "checkpoint" | "head" | "subtrees" | "cosigned" | "keepCosigned">;
  readonly origin: string;
  /** The enforcer's: it signs what is submitted, under the log's name, so that witnesses pin one key. */
  readonly signer: Signer;
  readonly witnesses: Witnesses;
  /** Told where `BEHEST_WITNESS_CONFLICT` is warned of. */
  readonly conflict?: () => void;
}

/** ms for the last submission, when the process ends. */
const FAREWELL = 3000;

/**
 * Shows the log's heads to witnesses now and then, beside everything else: no action waits for it, and none fails
 * by it. The newest head that enough of them have cosigned is kept in the store. What does not work is warned of
 * once, until it has worked again: `BEHEST_WITNESS` (too few could be had), `BEHEST_WITNESS_CONFLICT` (one of them
 * has seen another log than this one, or more of it than there is).
 */
export class HeadKeeper {
  readonly #parts: Parts;
  readonly #timer: NodeJS.Timeout;
  readonly #stopping = new AbortController();
  /** How much of the log each has seen, by `x` of its key. */
  readonly #seen = new Map<string, number>();
  readonly #warned = new Set<string>();
  /** The largest head that was signed here. */
  #signed: Head | undefined;
  #running: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = setInterval(() => void this.submit(), parts.witnesses.every).unref();
    void this.submit();
  }

  /** Submits what is there now; one submission at a time. Never rejects. */
  submit(): Promise<void> {
    this.#running ??= this.#submit(this.#stopping.signal)
      .catch(() => this.#warn("BEHEST_WITNESS", "the log's head could not be signed or kept"))
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** A last one, which is not waited for long. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const late = setTimeout(() => this.#stopping.abort(), FAREWELL);
    await this.#running;
    await this.submit();
    clearTimeout(late);
  }

  async #submit(signal: AbortSignal): Promise<void> {
    const { engine, origin, signer, witnesses } = this.#parts;
    const checkpoint = await headIn(engine);
    const head = parseCheckpoint(checkpoint);
    const kept = await engine.cosigned();
    const before = kept === undefined ? undefined : parseCheckpoint(kept);
    if (before && headOf(before) === headOf(head)) return;
    // A log must not sign two heads of which one does not extend the other (C2SP tlog-checkpoint).
    for (const known of [before, this.#signed])
      if (known && !(await this.#extends(known, head))) return this.#conflict();
    const signed = await addSignature(checkpoint, origin, signer);
    this.#signed = head;
    const said = await Promise.all(
      witnesses.list.map(async (witness) => {
        const old = this.#seen.get(witness.jwk.x) ?? Math.min(before?.size ?? 0, head.size);
        const prove = (from: number): Promise<Uint8Array[]> => this.#prove(from, head.size);
        const answer = await ask(witness, { checkpoint: signed, old, prove, signal });
        if (answer.said === "cosigned") this.#seen.set(witness.jwk.x, head.size);
        return answer;
      }),
    );
    const lines = said.flatMap((one) => (one.said === "cosigned" ? [one.line] : []));
    const isShown = lines.length >= witnesses.need;
    if (isShown) await engine.keepCosigned(signed + lines.join(""));
    await this.#tell(said, isShown);
  }

  async #tell(said: readonly Said[], isShown: boolean): Promise<void> {
    const { size } = parseCheckpoint(await headIn(this.#parts.engine));
    // Another process of this store may have been first with a longer head.
    if (said.some((one) => one.said === "refused" || (one.said === "ahead" && one.size > size)))
      return this.#conflict();
    this.#warned.delete("BEHEST_WITNESS_CONFLICT");
    if (isShown || said.some((one) => one.said === "ahead")) this.#warned.delete("BEHEST_WITNESS");
    else this.#warn("BEHEST_WITNESS", "too few witnesses have cosigned the log's head; it is tried again");
  }

  #conflict(): void {
    this.#warn(
      "BEHEST_WITNESS_CONFLICT",
      'the log is not the one that was shown to witnesses before: an older database was put back, or it was rewritten. Run "behest verify" with a witness\'s head',
    );
  }

  #warn(code: "BEHEST_WITNESS" | "BEHEST_WITNESS_CONFLICT", message: string): void {
    if (this.#warned.has(code) || this.#stopping.signal.aborted) return;
    this.#warned.add(code);
    process.emitWarning(`${message}.`, { code });
    if (code === "BEHEST_WITNESS_CONFLICT") this.#parts.conflict?.();
  }

  async #extends(known: Head, head: Head): Promise<boolean> {
    if (known.size > head.size) return false;
    return verifyConsistency(await this.#prove(known.size, head.size), known, head);
  }

  /** Which subtrees a proof is made of does not depend on what they are: asked for first, then put together. */
  async #prove(from: number, to: number): Promise<Uint8Array[]> {
    const places: Subtree[] = [];
    consistencyProof((level, index) => (places.push({ level, index }), new Uint8Array(32)), from, to);
    const hashes = [...(await this.#parts.engine.subtrees(places))].values();
    return consistencyProof(() => hashes.next().value!, from, to);
  }
}
