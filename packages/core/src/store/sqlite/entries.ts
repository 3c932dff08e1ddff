import type { DatabaseSync, StatementSync } from "node:sqlite";
import { toBase64url } from "@behest/jws";
import { type Frontier, type Head, type TrustEntry, frontierOf } from "@behest/provenance";
import { type HeadRow, type Stored, agreed, damaged, extending } from "../agree.ts";
import { trustEntryOf } from "../examine.ts";
import type { Leaf } from "../log.ts";
import type { Range } from "../pruning.ts";

const HASH = 32;

/** The log in its tables: entries with the tree beside them, and the head. */
export class Entries {
  readonly #insert: StatementSync;
  readonly #nodes: StatementSync;
  readonly #range: StatementSync;
  readonly #gone: StatementSync;
  readonly #left: StatementSync;
  readonly #empty: StatementSync;
  readonly #last: StatementSync;
  readonly #head: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO entry (idx, nodes, jws) VALUES (?, ?, ?)");
    this.#nodes = db.prepare("SELECT nodes FROM entry WHERE idx = ?");
    this.#range = db.prepare("SELECT jws FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?");
    this.#gone = db.prepare("SELECT 1 FROM entry WHERE idx = ? AND jws = ''");
    this.#left = db.prepare("SELECT count(*) AS entries FROM entry WHERE idx BETWEEN ? AND ? AND jws <> ''");
    this.#empty = db.prepare("UPDATE entry SET jws = '' WHERE idx BETWEEN ? AND ?");
    this.#last = db.prepare("SELECT max(idx) AS last FROM entry");
    this.#head = db.prepare("SELECT origin, checkpoint, certificate, manifest, at FROM head");
  }

  add(index: number, leaf: Leaf): void {
    this.#insert.run(index, Buffer.concat(leaf.nodes), leaf.jws);
  }

  /** Leaf hash of a stored entry, base64url. */
  hash(index: number): string {
    return toBase64url(this.subtree(0, index));
  }

  range(from: number, limit: number): string[] {
    return this.#range.all(from, limit).map((row) => row["jws"] as string);
  }

  /** Its text was pruned. */
  isGone(index: number): boolean {
    return this.#gone.get(index) !== undefined;
  }

  /** How many of a stretch have their text. */
  left([first, last]: Range): number {
    return (this.#left.get(first, last) as { entries: number }).entries;
  }

  /** Their text goes; their hashes stay. */
  empty([first, last]: Range): void {
    this.#empty.run(first, last);
  }

  head(): HeadRow | undefined {
    return this.#head.get() as HeadRow | undefined;
  }

  size(): number {
    const { last } = this.#last.get() as { last: number | null };
    return last === null ? 0 : last + 1;
  }

  frontierAt(size: number): Frontier {
    return frontierOf(this.subtree, size);
  }

  /** The trust entry at `index`. */
  trustAt(index: number): TrustEntry {
    const [jws = ""] = this.range(index, 1);
    return trustEntryOf(jws, this.hash(index));
  }

  agreed(row: HeadRow | undefined, origin: string): { readonly size: number; readonly frontier: Frontier } {
    return agreed(row, origin, this.#stored(this.size()));
  }

  /** `store_mismatch` unless the log, of `size` entries now, still has these first entries. */
  extends(known: Head, size: number): void {
    extending(known, this.#stored(size));
  }

  #stored(size: number): Stored {
    return { size, frontierAt: (of) => this.frontierAt(of) };
  }

  /** Hash of a complete subtree; throws `store_mismatch` where it is not there. */
  readonly subtree = (level: number, index: number): Uint8Array => {
    const last = (index + 1) * 2 ** level - 1;
    const nodes = this.#nodes.get(last)?.["nodes"] as Uint8Array | undefined;
    const node = nodes?.subarray(level * HASH, (level + 1) * HASH);
    if (node?.length !== HASH) throw damaged(last);
    return node;
  };
}
