import { parseCheckpoint } from "@behest/provenance";
import type { Engine } from "./types.ts";

/** The last checkpoint, known to be of this log where others can write to the store. Once it is attached. */
export function headIn(engine: Pick<Engine, "head" | "checkpoint">): Promise<string> {
  return engine.head?.() ?? engine.checkpoint();
}

/** How many entries the log has by that: roles hold at its indexes. */
export async function lengthOf(engine: Engine): Promise<number> {
  return parseCheckpoint(await headIn(engine)).size;
}
