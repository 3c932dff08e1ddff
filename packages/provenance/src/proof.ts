import { ProvenanceError } from "./error.ts";
import { type Head, type NodeAt, checkedSize, equal, hashNode, rootOf, subtrees } from "./tree.ts";

/** Audit path of leaf `index` in the tree of `size` leaves, lowest node first (RFC 6962, 2.1.1). Throws `out_of_tree`. */
export function inclusionProof(nodeAt: NodeAt, index: number, size: number): Uint8Array[] {
  if (checkedSize(index) >= checkedSize(size))
    throw new ProvenanceError("out_of_tree", "no such leaf in this tree");
  return path(nodeAt, index, 0, size);
}

function path(nodeAt: NodeAt, index: number, start: number, end: number): Uint8Array[] {
  if (end - start === 1) return [];
  const middle = start + split(end - start);
  return index < middle
    ? [...path(nodeAt, index, start, middle), rangeRoot(nodeAt, middle, end)]
    : [...path(nodeAt, index, middle, end), rangeRoot(nodeAt, start, middle)];
}

/** Proof that the tree of `to` leaves extends the tree of `from` leaves (RFC 6962, 2.1.2). Throws `out_of_tree`. */
export function consistencyProof(nodeAt: NodeAt, from: number, to: number): Uint8Array[] {
  if (checkedSize(from) > checkedSize(to))
    throw new ProvenanceError("out_of_tree", "the older tree is the larger one");
  return from === 0 ? [] : extension(nodeAt, from, 0, to, true);
}

/** SUBPROOF of RFC 6962. `known`: the verifier has the root of what the older tree holds of this range. */
function extension(nodeAt: NodeAt, from: number, start: number, end: number, known: boolean): Uint8Array[] {
  if (from === end) return known ? [] : [rangeRoot(nodeAt, start, end)];
  const middle = start + split(end - start);
  return from <= middle
    ? [...extension(nodeAt, from, start, middle, known), rangeRoot(nodeAt, middle, end)]
    : [...extension(nodeAt, from, middle, end, false), rangeRoot(nodeAt, start, middle)];
}

/** Largest power of two below n, n ≥ 2. */
function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function rangeRoot(nodeAt: NodeAt, start: number, end: number): Uint8Array {
  return rootOf(subtrees(nodeAt, start, end));
}

/** True when `proof` shows `leaf` (a leaf hash) at `index` of the tree of `size` leaves with this root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(
  proof: readonly Uint8Array[],
  claim: {
    readonly leaf: Uint8Array;
    readonly index: number;
    readonly size: number;
    readonly root: Uint8Array;
  },
): boolean {
  const { leaf, index, size, root } = claim;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  let hash = leaf;
  let at = index;
  let last = size - 1;
  for (const sibling of proof) {
    if (last === 0 || sibling.length !== 32) return false;
    if (at % 2 === 1 || at === last) {
      hash = hashNode(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else hash = hashNode(hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && equal(hash, root);
}

/** True when `proof` shows that `to` extends `from` (RFC 9162, 2.1.4.2). Any tree extends the empty one. */
export function verifyConsistency(proof: readonly Uint8Array[], from: Head, to: Head): boolean {
  if (
    !Number.isSafeInteger(from.size) ||
    !Number.isSafeInteger(to.size) ||
    from.size < 0 ||
    from.size > to.size
  )
    return false;
  if (from.size === to.size && !equal(from.root, to.root)) return false;
  if (from.size === 0) return proof.length === 0 && equal(from.root, rootOf([]));
  if (from.size === to.size) return proof.length === 0;
  let at = from.size - 1;
  let last = to.size - 1;
  while (at % 2 === 1) [at, last] = [(at - 1) / 2, Math.floor(last / 2)];
  // Where the older tree is one complete subtree, its root starts the path and is not sent.
  const [first, ...rest] = at === 0 ? [from.root, ...proof] : proof;
  if (!first || first.length !== 32) return false;
  let older = first;
  let newer = first;
  for (const sibling of rest) {
    if (last === 0 || sibling.length !== 32) return false;
    if (at % 2 === 1 || at === last) {
      older = hashNode(sibling, older);
      newer = hashNode(sibling, newer);
      while (at % 2 === 0 && at !== 0) [at, last] = [at / 2, Math.floor(last / 2)];
    } else newer = hashNode(newer, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && equal(older, from.root) && equal(newer, to.root);
}
