import { type Store, memoryStore, readStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { canonicalPresent } from "@behest/jws";
import type { ActionEntry, EntryPayload, EntryType } from "@behest/provenance";
import { type EvidenceReport, verifyEvidence } from "../src/index.ts";

/** The store of a process that signs what it likes: entries, of actions if nothing else is said, are rewritten before they are signed. */
export function lying<T extends EntryType = "action">(
  change: (entry: Extract<EntryPayload, { type: T }>) => object,
  type: T = "action" as T,
): Store {
  const store = memoryStore();
  const [symbol] = Object.getOwnPropertySymbols(store);
  type Operations = { [op: string]: (request: { entry?: string }) => unknown };
  const engine = (store as never as { [s: symbol]: Operations })[symbol!]!;
  for (const op of ["begin", "append"]) {
    const honest = engine[op]!.bind(engine);
    engine[op] = (request) => {
      const entry = request.entry === undefined ? undefined : (JSON.parse(request.entry) as EntryPayload);
      if (entry?.type !== type) return honest(request);
      const said = { ...entry, ...change(entry as Extract<EntryPayload, { type: T }>) };
      return honest({ ...request, entry: canonicalPresent(said) });
    };
  }
  return store;
}

/** What is said of a log whose process lies: one payment that was granted, and one that was not. */
export async function lied(change: (entry: ActionEntry) => object): Promise<EvidenceReport> {
  const store = lying(change);
  await using behest = await testBehest({ store, content: "keep", policy: "default" });
  const tools = { pay: { to: { constraint_type: "exact", value: "bob" } } };
  const session = await behest.as("alice", tools);
  await session.perform({ tool: "pay", args: { to: "bob" } }, async () => "paid").catch(() => {});
  await session.perform({ tool: "pay", args: { to: "eve" } }, async () => "paid").catch(() => {});
  return verifyEvidence(await readStore(store).evidence(), { owner: behest.owner });
}

export function codes({ findings }: EvidenceReport, state = "failed"): string[] {
  return [...new Set(findings.flatMap((one) => (one.state === state ? [one.code] : [])))];
}
