import type { Random } from "./random.ts";
import type { Step } from "./steps.ts";

type Change = Pick<Step, "op" | "offset" | "bytes">;

const SECTOR = 512;

/** Bytes that grow and shrink. */
class Contents {
  /** Zeros beyond the size. */
  #bytes: Buffer<ArrayBuffer>;
  #size: number;
  #isOwn = false;

  /** Nobody changes these bytes. */
  constructor(bytes: Buffer<ArrayBuffer> = Buffer.alloc(0)) {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  change({ op, offset, bytes }: Change): void {
    const end = op === "truncate" ? offset : Math.max(this.#size, offset + bytes.length);
    if (!this.#isOwn || end > this.#bytes.length) {
      const own = Buffer.alloc(end > this.#bytes.length ? 2 * end : this.#bytes.length);
      this.#bytes.copy(own, 0, 0, this.#size);
      [this.#bytes, this.#isOwn] = [own, true];
    }
    if (end < this.#size) this.#bytes.fill(0, end, this.#size);
    this.#size = end;
    if (op !== "truncate") bytes.copy(this.#bytes, offset);
  }

  get view(): Buffer<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#size);
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
    // One that began before all of this was looked at covers nothing of it.
    const reached = Math.max(0, (this.#covered.get(process) ?? 0) - this.#done);
    this.#done += reached;
    return reached;
  }
}

/** One file, as the processes see it and as it has reached the disk. */
export class File {
  readonly #synced: Contents;
  readonly #now: Contents;
  /** What happened to it and has not reached the disk. */
  #pending: Change[] = [];
  readonly #syncs = new Syncs();

  /** With what is on the disk: nobody changes these bytes. */
  constructor(bytes?: Buffer<ArrayBuffer>) {
    this.#synced = new Contents(bytes);
    this.#now = new Contents(bytes);
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
    const torn = new Contents(this.synced);
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
