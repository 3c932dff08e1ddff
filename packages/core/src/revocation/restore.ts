import type { Manifest } from "@behest/provenance";
import { type Store, engine as engineOf } from "../store/types.ts";
import { admit } from "./admission.ts";
import type { Feed } from "./feed.ts";
import { recorded } from "./entry.ts";
import { spanOf } from "./span.ts";

/**
 * Brings a store's own cuts into a feed that lacks them: one that was trimmed, or that the store did not use from the
 * beginning. Only what an enrolled revoker signed is handed on. The store is not attached. Answers with how many of the
 * cuts in force it holds; those that were there already are not doubled. Throws `store_failed`.
 */
export async function restoreCuts(store: Store, feed: Feed, manifest: Manifest): Promise<number> {
  const engine = store[engineOf];
  let held = 0;
  for (const digest of (await recorded(engine)).keys()) {
    const jws = await engine.cut(digest);
    const admitted =
      jws === undefined ? undefined : await admit(jws, manifest, "before").catch(() => undefined);
    if (!admitted) continue;
    const { until } = spanOf(admitted.cut);
    await feed.append({ jws: admitted.jws, ...(until !== undefined && { until }) });
    held++;
  }
  return held;
}
