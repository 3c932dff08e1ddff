import { admit } from "../revocation/admission.ts";
import type { Feed } from "../revocation/feed.ts";
import { spanOf } from "../revocation/span.ts";
import { type Trust, trusted } from "../trust.ts";
import type { SignedCut } from "../types.ts";

/**
 * Takes cuts into a feed without a Behest, as a revoker's own process does; under the manifest as it is each time.
 * The function throws `revocation_refused`, `trust_invalid`, `store_failed`.
 */
export function submitTo(feed: Feed, trust: Trust): (cut: SignedCut) => Promise<void> {
  return async ({ jws }) => {
    const { manifest } = await trusted(trust);
    const { until } = spanOf((await admit(jws, manifest, "now")).cut);
    await feed.append({ jws, ...(until !== undefined && { until }) });
  };
}
