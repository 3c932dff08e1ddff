import { setImmediate } from "node:timers/promises";
import { fromBase64url, toBase64url } from "@behest/jws";
import {
  type EntryPayload,
  type Frontier,
  appendLeaf,
  appendSubtree,
  parseCheckpoint,
  parseEntry,
  rootOf,
  subtreesBetween,
} from "@behest/provenance";
import { mismatch } from "../store/failure.ts";
import type { Engine } from "../store/types.ts";
import type { HoldInForce } from "./held.ts";
import { Sieve, type Terms } from "./sieve.ts";

const PAGE = 500;

/** What may go of a log of `size` entries. */
export interface Survey {
  readonly size: number;
  readonly holds: readonly HoldInForce[];
  readonly sieve: Sieve;
}

/** Looks at all of the log, and keeps nobody from writing meanwhile. `before`: ms since the epoch. */
export async function survey(engine: Engine, before: number, holds: readonly HoldInForce[]): Promise<Survey> {
  const checkpoint = parseCheckpoint(await engine.checkpoint());
  const { size } = checkpoint;
  const held = new Set(holds.flatMap(({ principals = [] }) => principals));
  const old = await readOld(engine, { before, size, held });
  await compare(engine, old, checkpoint);
  const { boundary, heldDelegations } = old;
  const recallable = new Set(await engine.recallable(boundary));
  const sieve = new Sieve({ before, boundary, recallable, held, heldDelegations });
  if (boundary === 0) return { size, holds, sieve };
  for (let end = size; end > 0; end = Math.max(0, end - PAGE)) {
    const from = Math.max(0, end - PAGE);
    const page = await engine.entries(from, end - from);
    for (const [i, jws] of [...page.entries()].toReversed())
      if (jws !== "") {
        const { hash, payload } = saidIn(jws);
        sieve.add(from + i, hash, payload);
      }
    await setImmediate();
  }
  return { size, holds, sieve };
}

interface Old extends Pick<Terms, "boundary" | "heldDelegations"> {
  /** Of the tree up to the boundary, from the entries themselves. */
  readonly frontier: Frontier;
}

/** Up to the first entry that was not recorded before: no entry is older than one that stands before it. */
async function readOld(
  engine: Engine,
  { before, size, held }: { before: number; size: number; held: ReadonlySet<string> },
): Promise<Old> {
  const heldDelegations = new Set<string>();
  let frontier: Frontier = [];
  let next = 0;
  /** Of what has been pruned before there are hashes alone. */
  const skipTo = async (index: number): Promise<void> => {
    frontier = await extended(engine, frontier, next, index);
    next = index;
  };
  for (let from = 0; from < size; from += PAGE) {
    const page = await engine.entries(from, Math.min(PAGE, size - from));
    for (const [i, jws] of page.entries()) {
      const index = from + i;
      if (jws === "") continue;
      const { hash, payload } = saidIn(jws);
      if (next < index) await skipTo(index);
      if (Date.parse(payload.at) >= before) return { boundary: index, heldDelegations, frontier };
      frontier = appendLeaf(frontier, index, fromBase64url(hash)).frontier;
      next = index + 1;
      if (payload.type === "delegation" && held.has(payload.principal)) heldDelegations.add(hash);
    }
    await setImmediate();
  }
  await skipTo(size);
  return { boundary: size, heldDelegations, frontier };
}

/** The frontier with the entries from `from` up to `to`, of which the store says the hashes. */
async function extended(engine: Engine, before: Frontier, from: number, to: number): Promise<Frontier> {
  const places = [...subtreesBetween(from, to)];
  const hashes = await engine.subtrees(places);
  let frontier = before;
  for (const [i, { level, index }] of places.entries())
    frontier = appendSubtree(frontier, index * 2 ** level, { level, hash: hashes[i]! }).frontier;
  return frontier;
}

/** What is looked at must be what was signed: else whoever can edit the store chooses what goes. */
async function compare(
  engine: Engine,
  { boundary, frontier }: Old,
  { size, root }: { readonly size: number; readonly root: Uint8Array },
): Promise<void> {
  const all = rootOf(await extended(engine, frontier, boundary, size));
  if (toBase64url(all) !== toBase64url(root))
    throw mismatch("old entries are not those that its checkpoint states");
}

/** What an entry of this very log says: whether it is well-formed was seen when it was written. */
function saidIn(jws: string): { readonly hash: string; readonly payload: EntryPayload } {
  const { hash, payload } = parseEntry(jws);
  return { hash, payload: JSON.parse(payload) as EntryPayload };
}
