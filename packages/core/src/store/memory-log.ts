import { toBase64url } from "@behest/jws";
import { parseCheckpoint, retentionOf } from "@behest/provenance";
import { EMPTY, type Emitter, type Tail, headAt, seal, sign, takesUp, trustDraft } from "./log.ts";
import type { Range } from "./pruning.ts";
import type { Draft, Placed, Subtree } from "./types.ts";

/** Entries of one process, signed and linked as in a durable log. */
export class MemoryLog {
  #emitter: Emitter;
  #tail: Tail = EMPTY;
  readonly #entries: string[] = [];
  /** Of each entry: hashes of the subtrees that end with it. */
  readonly #nodes: (readonly Uint8Array[])[] = [];

  /** The newest checkpoint that witnesses have cosigned. */
  cosigned: string | undefined;

  constructor(emitter: Emitter) {
    this.#emitter = emitter;
  }

  /** In force, as its owner signed it. */
  get manifest(): string {
    return this.#emitter.identity.manifest;
  }

  /** How long the manifest in force keeps what is recorded, ms. */
  get retention(): number {
    return retentionOf(this.#emitter.manifest);
  }

  get size(): number {
    return this.#tail.size;
  }

  /** Another entry key from now on, and the next manifest where it comes with one. */
  rotate(emitter: Emitter, now: number): Placed {
    const isNext = takesUp(emitter, this.#emitter.identity.manifest);
    this.#emitter = emitter;
    this.#tail = { ...this.#tail, seq: 0 };
    return this.place(trustDraft(emitter.identity, now, isNext));
  }

  get head(): string {
    return headAt(this.#tail);
  }

  place(draft: Draft): Placed {
    const { tail, leaf } = sign(this.#tail, draft, this.#emitter.signer);
    const placed: Placed = {
      index: this.#tail.size,
      hash: toBase64url(leaf.nodes[0]!),
      // Most are never looked at, and each takes a hash for every bit of the log's size.
      get head() {
        return headAt(tail);
      },
    };
    this.#tail = tail;
    this.#entries.push(leaf.jws);
    this.#nodes.push(leaf.nodes);
    return placed;
  }

  hash(index: number): string {
    return toBase64url(this.#nodes[index]![0]!);
  }

  entries(from: number, limit: number): readonly string[] {
    return this.#entries.slice(from, from + limit);
  }

  isGone(index: number): boolean {
    return this.#entries[index] === "";
  }

  /** Their text goes; their hashes stay. */
  empty([first, last]: Range): void {
    this.#entries.fill("", first, last + 1);
  }

  subtrees(places: readonly Subtree[]): readonly Uint8Array[] {
    return places.map(({ level, index }) => this.#nodes[(index + 1) * 2 ** level - 1]![level]!);
  }

  keepCosigned(note: string): void {
    const { size } = parseCheckpoint(note);
    if (size >= (this.cosigned === undefined ? 0 : parseCheckpoint(this.cosigned).size)) this.cosigned = note;
  }

  /** Signed when somebody looks: nothing here is durable, so no batch has to end with it. */
  checkpoint(): string {
    const { identity, signer } = this.#emitter;
    return seal(this.#tail, identity.origin, signer).checkpoint;
  }
}
