import { sha256 } from "@behest/jws";
import { ProvenanceError } from "./error.ts";

/**
 * The RFC 6962 tree (section 2.1): a leaf is SHA-256(0x00 ‖ data), a node SHA-256(0x01 ‖ left ‖ right), and a
 * tree of n leaves splits at the largest power of two below n. Level 0 holds the leaves; the node at
 * (level, index) covers the leaves from index·2^level up to (index+1)·2^level, and is stored once complete.
 */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** Roots of the complete subtrees that make up a tree, largest first: one for each bit set in its size. */
export type Frontier = readonly Uint8Array[];

/** Reads a stored node; level 0 are leaf hashes. */
export type NodeAt = (level: number, index: number) => Uint8Array;

/** Size and root of a tree: what a checkpoint states. */
export interface Head {
  readonly size: number;
  readonly root: Uint8Array;
}

export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(65);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return sha256(bytes);
}

/** Adds a leaf to a tree of `size` leaves: its new frontier, and the interior nodes that became complete, lowest first. */
export function appendLeaf(
  frontier: Frontier,
  size: number,
  leafHash: Uint8Array,
): { readonly frontier: Frontier; readonly nodes: readonly TreeNode[] } {
  return appendSubtree(frontier, size, { level: 0, hash: leafHash });
}

/** The same of a complete subtree of 2^level leaves, which may begin where `size` is a multiple of that. Throws `out_of_tree`. */
export function appendSubtree(
  frontier: Frontier,
  size: number,
  subtree: { readonly level: number; readonly hash: Uint8Array },
): { readonly frontier: Frontier; readonly nodes: readonly TreeNode[] } {
  const next = frontier.slice();
  const nodes: TreeNode[] = [];
  let { level, hash } = subtree;
  let index = size / 2 ** level;
  if (!Number.isSafeInteger(index))
    throw new ProvenanceError("out_of_tree", "no subtree of this level begins here");
  while (index % 2 === 1) {
    const left = next.pop();
    if (!left) throw new ProvenanceError("out_of_tree", "a frontier does not belong to this size");
    hash = hashNode(left, hash);
    index = (index - 1) / 2;
    nodes.push({ level: ++level, index, hash });
  }
  next.push(hash);
  return { frontier: next, nodes };
}

/** Root of the tree; of the empty tree, SHA-256 of nothing. */
export function rootOf(frontier: Frontier): Uint8Array {
  if (frontier.length === 0) return sha256("");
  return frontier.reduceRight((right, left) => hashNode(left, right));
}

/** The frontier of the tree of `size` leaves, from its stored nodes. */
export function frontierOf(nodeAt: NodeAt, size: number): Frontier {
  return subtrees(nodeAt, 0, checkedSize(size));
}

/** Roots of the complete subtrees of the leaves from `start` up to `end`, where `start` is where a subtree that large may begin. */
export function subtrees(nodeAt: NodeAt, start: number, end: number): Uint8Array[] {
  const roots: Uint8Array[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    let width = 1;
    for (; width * 2 <= end - at; width *= 2) level++;
    roots.push(nodeAt(level, at / width));
    at += width;
  }
  return roots;
}

export function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new ProvenanceError("out_of_tree", "a size is a non-negative integer");
  return size;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The largest complete subtrees that cover the leaves from `start` up to `end`, in order. */
export function* subtreesBetween(
  start: number,
  end: number,
): Generator<{ readonly level: number; readonly index: number }> {
  for (let at = start; at < end;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++;
    yield { level, index: at / 2 ** level };
    at += 2 ** level;
  }
}
