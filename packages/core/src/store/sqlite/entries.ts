import type { DatabaseSync, StatementSync } from "node:sqlite";
import { toBase64url } from "@behest/jws";
import { type Frontier, type Head, frontierOf, parseCheckpoint, rootOf } from "@behest/provenance";
import { mismatch } from "../failure.ts";
import type { Leaf } from "../log.ts";

const HASH = 32;

/** The last checkpoint as the database holds it, and where its key's certificate and the manifest in force are. */
export interface HeadRow {
  readonly origin: string;
  readonly checkpoint: string;
  readonly certificate: number;
  readonly manifest: number;
  /** Latest time that any transaction has seen, ms since the epoch. */
  readonly at: number;
}

/** The log in its tables: entries with the tree beside them, and the head. */
export class Entries {
  readonly #insert: StatementSync;
  readonly #nodes: StatementSync;
  readonly #range: StatementSync;
  readonly #last: StatementSync;
  readonly #head: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare("INSERT INTO entry (idx, nodes, jws) VALUES (?, ?, ?)");
    this.#nodes = db.prepare("SELECT nodes FROM entry WHERE idx = ?");
    this.#range = db.prepare("SELECT jws FROM entry WHERE idx >= ? ORDER BY idx LIMIT ?");
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

  /** Size and frontier of the log, once its entries, its tree and what its checkpoint says agree; else `store_mismatch`. */
  agreed(row: HeadRow | undefined, origin: string): { readonly size: number; readonly frontier: Frontier } {
    const size = this.size();
    if (!row) {
      if (size > 0) throw mismatch(`the log has ${count(size)} entries and no checkpoint`);
      return { size, frontier: [] };
    }
    const said = parsed(row.checkpoint);
    if (said.origin !== origin || row.origin !== origin)
      throw mismatch("this is the log of another deployment");
    if (said.size !== size)
      throw mismatch(`the log has ${count(size)} entries, the checkpoint says ${count(said.size)}`);
    const frontier = this.frontierAt(size);
    if (!same(rootOf(frontier), said.root))
      throw mismatch("the log's tree is not the one its checkpoint states");
    return { size, frontier };
  }

  /** `store_mismatch` unless the log, of `size` entries now, still has these first entries. */
  extends(known: Head, size: number): void {
    if (size < known.size)
      throw mismatch(`the log has ${count(size)} entries, ${count(known.size)} were seen before`);
    if (known.size > 0 && !same(rootOf(this.frontierAt(known.size)), known.root))
      throw mismatch(`the first ${count(known.size)} entries are not those that were seen before`);
  }

  /** Hash of a complete subtree; throws `store_mismatch` where it is not there. */
  readonly subtree = (level: number, index: number): Uint8Array => {
    const last = (index + 1) * 2 ** level - 1;
    const nodes = this.#nodes.get(last)?.["nodes"] as Uint8Array | undefined;
    const node = nodes?.subarray(level * HASH, (level + 1) * HASH);
    if (node?.length !== HASH) throw mismatch(`entry ${count(last)} is missing or damaged`);
    return node;
  };
}

function parsed(checkpoint: string): ReturnType<typeof parseCheckpoint> {
  try {
    return parseCheckpoint(checkpoint);
  } catch (cause) {
    throw mismatch("the last checkpoint cannot be read", cause);
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
