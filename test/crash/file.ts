import type { Random } from "./random.ts";
import type { Step } from "./steps.ts";

type Change = Pick<Step, "op" | "offset" | "bytes">;

const SECTOR = 512;
const MAX_SIZE = 1 << 26;

/** Bytes that grow and shrink. */
class Contents {
  readonly #bytes = new ArrayBuffer(0, { maxByteLength: MAX_SIZE });

  get size(): number {
    return this.#bytes.byteLength;
  }

  change({ op, offset, bytes }: Change): void {
    if (op === "truncate") return this.#bytes.resize(offset);
    if (offset + bytes.length > this.size) this.#bytes.resize(offset + bytes.length);
    new Uint8Array(this.#bytes).set(bytes, offset);
  }

  get view(): Buffer<ArrayBuffer> {
    return Buffer.from(this.#bytes);
  }
}

/** Syncs under way, one a process: each brings to the disk what had happened when it began. */
export class Syncs {
  /** So many changes had reached the disk in all. */
  #done = 0;
  readonly #covered = new Map<number, number>();

  begin(process: number, pending: number): void {
    this.#covered.set(process, this.#done + pending);
  }

  /** How many of what is pending have reached the disk. */
  end(process: number): number {
    const reached = Math.max(0, this.#covered.get(process)! - this.#done);
    this.#done += reached;
    return reached;
  }
}

/** One file, as the processes see it and as it has reached the disk. */
export class File {
  readonly #synced = new Contents();
  readonly #now = new Contents();
  /** What happened to it and has not reached the disk. */
  #pending: Change[] = [];
  readonly #syncs = new Syncs();

  /** A file that is on the disk. */
  static synced(bytes: Buffer): File {
    const file = new File();
    for (const contents of [file.#synced, file.#now]) contents.change({ op: "write", offset: 0, bytes });
    return file;
  }

  change(change: Change): void {
    this.#now.change(change);
    this.#pending.push(change);
  }

  syncBegins(process: number): void {
    this.#syncs.begin(process, this.#pending.length);
  }

  syncEnds(process: number): void {
    for (const change of this.#pending.splice(0, this.#syncs.end(process))) this.#synced.change(change);
  }

  /** What the kernel could not write it forgets: no later sync brings it to the disk. */
  syncFails(): void {
    this.#pending = [];
  }

  get synced(): Buffer<ArrayBuffer> {
    return this.#synced.view;
  }

  get now(): Buffer<ArrayBuffer> {
    return this.#now.view;
  }

  /** Of what was not synced any sectors may be there or not, and the end may be zeros. */
  torn(random: Random): Buffer<ArrayBuffer> {
    const torn = new Contents();
    torn.change({ op: "write", offset: 0, bytes: this.synced });
    for (const { op, offset, bytes } of this.#pending) {
      if (op === "truncate" && random.next() < 0.5) torn.change({ op, offset, bytes });
      for (let from = 0; from < bytes.length;) {
        const to = Math.min(bytes.length, from + SECTOR - ((offset + from) % SECTOR));
        const sector = { op, offset: offset + from, bytes: bytes.subarray(from, to) };
        if (random.next() < 0.5) torn.change(sector);
        from = to;
      }
    }
    if (torn.size < this.#now.size && random.next() < 0.5)
      torn.change({ op: "truncate", offset: this.#now.size, bytes: Buffer.alloc(0) });
    return torn.view;
  }
}
