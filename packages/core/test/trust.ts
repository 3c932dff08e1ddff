import { parseEntry, verifyLog } from "@behest/provenance";
import { expect } from "vitest";
import { type Store, engine as engineOf } from "../src/store/types.ts";

/** How many manifests and certificates the log has; it must verify. */
export async function judged(
  store: Store,
  owner: string,
): Promise<{ trust: number; action: number; keys: number }> {
  const engine = store[engineOf];
  const entries = await engine.entries(0, 10_000);
  const { ok, counts, findings } = await verifyLog({ entries, checkpoint: await engine.checkpoint(), owner });
  expect(findings.filter(({ state }) => state !== "not_shown")).toEqual([]);
  expect(ok).toBe(true);
  const keys = new Set(entries.map((jws) => parseEntry(jws).kid)).size;
  return { trust: counts.trust, action: counts.action, keys };
}
