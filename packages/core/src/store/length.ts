import { parseCheckpoint } from "@behest/provenance";
import type { Engine } from "./types.ts";

/** How many entries the log has, by a head that is known to be of it: roles hold at its indexes. */
export async function lengthOf(engine: Engine): Promise<number> {
  return parseCheckpoint(await (engine.head?.() ?? engine.checkpoint())).size;
}
