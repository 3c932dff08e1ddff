import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Frontier,
  type NodeAt,
  ProvenanceError,
  appendLeaf,
  consistencyProof,
  frontierOf,
  inclusionProof,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from "./index.ts";

const sha = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leafOf = (data: Uint8Array): Buffer => sha(Uint8Array.of(0), data);
const numbered = (n: number): Buffer[] =>
  Array.from({ length: n }, (_, i) => leafOf(Buffer.from(`leaf ${i}`)));
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const hexes = (list: readonly Uint8Array[]): string[] => list.map(hex);

/** RFC 6962, 2.1, word for word. */
const split = (n: number): number => {
  let k = 1;
  while (k < n) k *= 2;
  return k / 2;
};
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return leaves[0]!;
  const k = split(leaves.length);
  return sha(Uint8Array.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}
function naivePath(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return m < k
    ? [...naivePath(m, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(m - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}
function naiveSubproof(m: number, leaves: readonly Buffer[], known: boolean): Buffer[] {
  if (m === leaves.length) return known ? [] : [naiveRoot(leaves)];
  const k = split(leaves.length);
  return m <= k
    ? [...naiveSubproof(m, leaves.slice(0, k), known), naiveRoot(leaves.slice(k))]
    : [...naiveSubproof(m - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

/** The tree grown leaf by leaf, its stored nodes, and how often they were read. */
function grow(leaves: readonly Uint8Array[]): { frontiers: Frontier[]; nodeAt: NodeAt; reads: () => number } {
  const stored = new Map<string, Uint8Array>();
  const frontiers: Frontier[] = [[]];
  for (const [i, leaf] of leaves.entries()) {
    const { frontier, nodes } = appendLeaf(frontiers[i]!, i, leaf);
    frontiers.push(frontier);
    for (const node of [{ level: 0, index: i, hash: leaf }, ...nodes]) {
      const name = `${node.level}/${node.index}`;
      expect(stored.has(name)).toBe(false);
      stored.set(name, node.hash);
    }
  }
  let reads = 0;
  const nodeAt: NodeAt = (level, index) => {
    reads++;
    const hash = stored.get(`${level}/${index}`);
    if (!hash) throw new Error(`node ${level}/${index} is not stored`);
    return hash;
  };
  return { frontiers, nodeAt, reads: () => reads };
}

// The reference leaves and roots of Certificate Transparency's implementations; recomputed by naiveRoot below.
const CT_LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const CT_ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

test("the reference leaves of Certificate Transparency give its reference roots", () => {
  const leaves = CT_LEAVES.map((data) => leafOf(Buffer.from(data, "hex")));
  const { frontiers } = grow(leaves);
  expect(frontiers.map((frontier) => hex(rootOf(frontier)))).toEqual(CT_ROOTS);
  expect(leaves.map((_, i) => hex(naiveRoot(leaves.slice(0, i + 1))))).toEqual(CT_ROOTS.slice(1));
});

test("a tree grown leaf by leaf, or rebuilt from its nodes, has the root that RFC 6962 defines", () => {
  const leaves = numbered(130);
  const { frontiers, nodeAt } = grow(leaves);
  for (let size = 0; size <= leaves.length; size++) {
    expect(hex(rootOf(frontiers[size]!))).toBe(hex(naiveRoot(leaves.slice(0, size))));
    expect(hexes(frontierOf(nodeAt, size))).toEqual(hexes(frontiers[size]!));
  }
});

test("every inclusion proof is RFC 6962's, verifies, and shows no other leaf, index, size or root", () => {
  const leaves = numbered(40);
  const { nodeAt } = grow(leaves);
  for (let size = 1; size <= leaves.length; size++) {
    const root = naiveRoot(leaves.slice(0, size));
    for (let index = 0; index < size; index++) {
      const proof = inclusionProof(nodeAt, index, size);
      const claim = { leaf: leaves[index]!, index, size, root };
      expect(hexes(proof)).toEqual(hexes(naivePath(index, leaves.slice(0, size))));
      expect(verifyInclusion(proof, claim)).toBe(true);
      const fitting = [-1, ...leaves.keys()].filter((other) =>
        verifyInclusion(proof, { ...claim, index: other }),
      );
      expect(fitting).toEqual([index]);
      expect(verifyInclusion(proof, { ...claim, leaf: leafOf(Buffer.from("forged")) })).toBe(false);
      expect(verifyInclusion(proof, { ...claim, root: leaves[0]!.map((byte) => byte ^ 1) })).toBe(false);
      expect(verifyInclusion([...proof, root], claim)).toBe(false);
      expect(verifyInclusion(proof, { ...claim, size: size + 64 })).toBe(false);
      expect(verifyInclusion(proof.slice(1), claim)).toBe(size === 1);
    }
  }
});

test("every consistency proof is RFC 6962's, verifies, and fits no other pair of trees", () => {
  const leaves = numbered(40);
  const { nodeAt } = grow(leaves);
  const heads = Array.from({ length: 41 }, (_, size) => ({ size, root: naiveRoot(leaves.slice(0, size)) }));
  const forged = leafOf(Buffer.from("forged"));
  for (const to of heads.slice(1))
    for (const from of heads.slice(1, to.size + 1)) {
      const proof = consistencyProof(nodeAt, from.size, to.size);
      expect(hexes(proof)).toEqual(hexes(naiveSubproof(from.size, leaves.slice(0, to.size), true)));
      expect(heads.filter((older) => verifyConsistency(proof, older, to))).toEqual(
        proof.length ? [from] : [heads[0], to],
      );
      expect(verifyConsistency(proof, { ...from, root: forged }, to)).toBe(false);
      expect(verifyConsistency(proof, from, { ...to, root: forged })).toBe(false);
      expect(verifyConsistency([...proof, forged], from, to)).toBe(false);
      expect(verifyConsistency(proof.slice(0, -1), from, to)).toBe(from === to);
      expect(verifyConsistency(proof, to, from)).toBe(from === to);
      expect(verifyConsistency(proof, from, { ...to, size: to.size + 64 })).toBe(false);
    }
});

test("every tree extends the empty one, with nothing to prove; none extends another empty one", () => {
  const { nodeAt } = grow(numbered(3));
  const [empty, to] = [
    { size: 0, root: naiveRoot([]) },
    { size: 3, root: naiveRoot(numbered(3)) },
  ];
  expect(consistencyProof(nodeAt, 0, 3)).toEqual([]);
  expect(verifyConsistency([], empty, to)).toBe(true);
  expect(verifyConsistency([to.root], empty, to)).toBe(false);
  expect(verifyConsistency([], { ...empty, root: to.root }, to)).toBe(false);
});

test("a proof with any bit of any hash changed is refused", () => {
  const leaves = numbered(100);
  const { nodeAt } = grow(leaves);
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 100 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (size, pick, hash, bit) => {
        const flip = (proof: Uint8Array[]): Uint8Array[] =>
          proof.map((h, i) =>
            i === hash % proof.length ? h.map((b, j) => (j === bit >> 3 ? b ^ (1 << (bit & 7)) : b)) : h,
          );
        const index = pick % size;
        const root = naiveRoot(leaves.slice(0, size));
        const path = inclusionProof(nodeAt, index, size);
        expect(verifyInclusion(flip(path), { leaf: leaves[index]!, index, size, root })).toBe(false);
        const from = 1 + (pick % (size - 1));
        const extension = consistencyProof(nodeAt, from, size);
        const older = { size: from, root: naiveRoot(leaves.slice(0, from)) };
        expect(verifyConsistency(flip(extension), older, { size, root })).toBe(false);
      },
    ),
  );
});

test("two logs that differ in one old leaf are never consistent", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 60 }),
      fc.nat(),
      (from, more, pick) => {
        const leaves = numbered(from + more);
        const rewritten = leaves.with(pick % from, leafOf(Buffer.from("rewritten")));
        const { nodeAt } = grow(rewritten);
        const proof = consistencyProof(nodeAt, from, from + more);
        const older = { size: from, root: naiveRoot(leaves.slice(0, from)) };
        const newer = { size: from + more, root: naiveRoot(rewritten) };
        expect(verifyConsistency(proof, older, newer)).toBe(false);
      },
    ),
  );
});

test("a root, a proof and a rebuilt frontier read a logarithm of the nodes", () => {
  const size = (1 << 14) - 1;
  const { nodeAt, reads } = grow(numbered(size));
  for (const read of [
    () => frontierOf(nodeAt, size),
    () => inclusionProof(nodeAt, 5000, size),
    () => consistencyProof(nodeAt, 5001, size),
  ]) {
    const before = reads();
    read();
    expect(reads() - before).toBeLessThanOrEqual(2 * 14);
  }
});

test("the frontier of the largest countable tree asks for the right nodes", () => {
  const size = Number.MAX_SAFE_INTEGER;
  const asked: string[] = [];
  const frontier = frontierOf((level, index) => {
    asked.push(`${level}/${index}`);
    return new Uint8Array(32);
  }, size);
  expect(frontier).toHaveLength(53);
  expect(asked[0]).toBe("52/0");
  expect(asked.at(-1)).toBe(`0/${size - 1}`);
});

test("what is not in the tree has no proof", () => {
  const { nodeAt } = grow(numbered(5));
  for (const ask of [
    () => inclusionProof(nodeAt, 5, 5),
    () => inclusionProof(nodeAt, -1, 5),
    () => inclusionProof(nodeAt, 0.5, 5),
    () => consistencyProof(nodeAt, 6, 5),
    () => frontierOf(nodeAt, -1),
    () => appendLeaf([], 1, new Uint8Array(32)),
  ])
    expect(ask).toThrow(expect.objectContaining({ code: "out_of_tree" }) as ProvenanceError);
});
