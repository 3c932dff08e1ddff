import { type EntryPayload, parseEntry, parsePayload } from "@behest/provenance";
import type { Engine } from "../store/types.ts";

/** What the entry at this index says; undefined where there is none, or it was pruned. */
export async function entryAt(engine: Engine, index: number): Promise<EntryPayload | undefined> {
  const [jws] = await engine.entries(index, 1);
  return !jws ? undefined : parsePayload(parseEntry(jws).payload);
}
