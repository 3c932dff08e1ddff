import type { Engine } from "../store/types.ts";
import { HOLD, RELEASE } from "../store/erasure.ts";
import { parseEntry, parsePayload } from "@behest/provenance";

export interface HoldInForce {
  /** Of its entry. */
  readonly index: number;
  /** Pseudonyms; absent: everybody. */
  readonly principals?: readonly string[];
}

/** Legal holds that nobody has released. */
export async function holdsIn(engine: Engine): Promise<readonly HoldInForce[]> {
  const holds: HoldInForce[] = [];
  for (const index of await engine.recorded(HOLD)) {
    const [jws = ""] = await engine.entries(index, 1);
    const { hash, payload } = parseEntry(jws);
    const entry = parsePayload(payload);
    if (entry.type !== "erasure" || entry.kind !== "hold") continue;
    if ((await engine.recorded(RELEASE + hash)).length > 0) continue;
    holds.push({ index, ...(entry.principals && { principals: entry.principals }) });
  }
  return holds;
}
