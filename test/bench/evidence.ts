// What a bundle costs: making one record's out of a large log, and verifying a thousand records.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore, readStore, sqliteStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { verifyEvidence } from "@behest/evidence";
import {
  entryHash,
  inclusionProof,
  readBundle,
  rootOf,
  appendLeaf,
  verifyInclusion,
} from "@behest/provenance";
import { type Figure, cpuOf, measured, median, wallOf } from "./figure.ts";

const tools = { look: { "*": { constraint_type: "wildcard" } } } as const;
const config = {
  policy: "default",
  content: "keep",
  profiles: { look: { effect: "read", boundary: "inside" } },
} as const;

/** CPU time of verifying a bundle of 1,000 records with their content: signatures, chains, grants and policies again. */
export async function verifyBundle1000(): Promise<Figure> {
  const store = memoryStore();
  await using behest = await testBehest({ store, ...config });
  const session = await behest.as("alice", tools);
  for (let i = 0; i < 1_000; i++)
    await session.perform({ tool: "look", args: { at: `place ${i}` } }, async () => "seen");
  const text = JSON.stringify(await readStore(store).evidence());
  const took: number[] = [];
  for (let round = 0; round < 5; round++)
    took.push(
      await cpuOf(async () => {
        const report = await verifyEvidence(readBundle(text), { owner: behest.owner });
        if (!report.ok || report.records.length !== 1_000 || report.findings.length > 0)
          throw new Error("a bundle that holds is not proven");
      }),
    );
  return measured("verify-bundle-1000", median(took) / 1000, "ms", {
    "bundle KB": (text.length / 1024).toFixed(0),
  });
}

/** Wall time of exporting one action's evidence from a durable log of 20,000 actions ÷ from one of 200. */
export async function exportGrowth(): Promise<Figure> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-export-"));
  try {
    const took: number[] = [];
    let kilobytes = 0;
    for (const actions of [200, 20_000]) {
      const store = sqliteStore(join(folder, `${actions}.db`));
      await using behest = await testBehest({ store, ...config });
      const session = await behest.as("alice", tools);
      for (let i = 0; i < actions; i += 200)
        await Promise.all(
          Array.from({ length: 200 }, () => session.perform({ tool: "look", args: {} }, async () => "seen")),
        );
      const reader = readStore(store);
      const [one] = (await behest.records.list()).slice(actions / 2);
      const rounds: number[] = [];
      for (let round = 0; round < 9; round++)
        rounds.push(
          await wallOf(async () => {
            const bundle = await reader.evidence({ index: one!.index });
            kilobytes = JSON.stringify(bundle).length / 1024;
          }),
        );
      took.push(median(rounds));
    }
    return measured("export-growth", took[1]! / took[0]!, "ratio", {
      "ms at 200": took[0]!.toFixed(1),
      "ms at 20,000": took[1]!.toFixed(1),
      "KB at 20,000": kilobytes.toFixed(0),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** µs to make an inclusion proof in a tree of a million leaves whose nodes are at hand, and to verify it. */
export async function proofTime(): Promise<Figure> {
  const size = 1_000_000;
  const levels: Uint8Array[][] = [[]];
  let frontier: readonly Uint8Array[] = [];
  for (let i = 0; i < size; i++) {
    const leaf = entryHash(String(i));
    levels[0]![i] = leaf;
    const added = appendLeaf(frontier, i, leaf);
    frontier = added.frontier;
    for (const { level, index, hash } of added.nodes) (levels[level] ??= [])[index] = hash;
  }
  const root = rootOf(frontier);
  const nodeAt = (level: number, index: number): Uint8Array => levels[level]![index]!;
  const rounds = 2_000;
  const proofs: Uint8Array[][] = [];
  const indexes = Array.from({ length: rounds }, (_, i) => Math.floor((i * size) / rounds));
  const making = await wallOf(() => {
    for (const index of indexes) proofs.push(inclusionProof(nodeAt, index, size));
  });
  const verifying = await wallOf(() => {
    for (const [i, index] of indexes.entries())
      if (!verifyInclusion(proofs[i]!, { leaf: nodeAt(0, index), index, size, root }))
        throw new Error("no proof");
  });
  return measured("proof-time", (making / rounds) * 1000, "µs", {
    "verify µs": ((verifying / rounds) * 1000).toFixed(0),
  });
}
