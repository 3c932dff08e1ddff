import { type Frontier, type Head, parseCheckpoint, rootOf } from "@behest/provenance";
import type { BehestError } from "../error.ts";
import { mismatch } from "./failure.ts";

/** The last checkpoint as a database holds it, and where its key's certificate and the manifest in force are. */
export interface HeadRow {
  readonly origin: string;
  readonly checkpoint: string;
  readonly certificate: number;
  readonly manifest: number;
  /** Latest time that any transaction has seen, ms since the epoch. */
  readonly at: number;
}

/** How many entries there are, and the frontier of the first so many, from the stored tree. */
export interface Stored {
  readonly size: number;
  frontierAt(size: number): Frontier;
}

/** Size and frontier of a log, once its entries, its tree and what its checkpoint says agree; else `store_mismatch`. */
export function agreed(
  row: HeadRow | undefined,
  origin: string,
  { size, frontierAt }: Stored,
): { readonly size: number; readonly frontier: Frontier } {
  if (!row) {
    if (size > 0) throw mismatch(`the log has ${count(size)} entries and no checkpoint`);
    return { size, frontier: [] };
  }
  const said = parsed(row.checkpoint);
  if (said.origin !== origin || row.origin !== origin)
    throw mismatch("this is the log of another deployment");
  if (said.size !== size)
    throw mismatch(`the log has ${count(size)} entries, the checkpoint says ${count(said.size)}`);
  const frontier = frontierAt(size);
  if (!same(rootOf(frontier), said.root))
    throw mismatch("the log's tree is not the one its checkpoint states");
  return { size, frontier };
}

/** `store_mismatch` unless the log still has these first entries. */
export function extending(known: Head, { size, frontierAt }: Stored): void {
  if (size < known.size)
    throw mismatch(`the log has ${count(size)} entries, ${count(known.size)} were seen before`);
  if (known.size > 0 && !same(rootOf(frontierAt(known.size)), known.root))
    throw mismatch(`the first ${count(known.size)} entries are not those that were seen before`);
}

/** An entry, or its place in the tree, that should be there. */
export function damaged(index: number): BehestError {
  return mismatch(`entry ${count(index)} is missing or damaged`);
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
