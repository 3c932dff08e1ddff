import { type DelegationLike, parseDelegation } from "@behest/delegation";
import { parseJson, splitCompact } from "@behest/jws";
import { admit } from "../revocation/admission.ts";
import { Cuts } from "../revocation/cuts.ts";
import { type Feed, rowsOf } from "../revocation/feed.ts";
import { type Form, Lineage, keyOfCut } from "../revocation/keys.ts";
import { hopOf } from "../revocation/listing.ts";
import { refuseOver, spanOf } from "../revocation/span.ts";
import { type Trust, trusted } from "../trust.ts";
import type { SignedCut } from "../types.ts";

/**
 * Takes cuts into a feed without a Behest, as a revoker's own process does; under the manifest as it is each time.
 * The function throws `revocation_refused`, `trust_invalid`, `store_failed`.
 */
export function submitTo(feed: Feed, trust: Trust): (cut: SignedCut) => Promise<void> {
  return async ({ jws }) => {
    const { manifest } = await trusted(trust);
    const { cut } = await admit(jws, manifest, "now");
    refuseOver(cut, Math.floor(Date.now() / 1000));
    const { until } = spanOf(cut);
    await feed.append({ jws, ...(until !== undefined && { until }) });
  };
}

/**
 * Which delegations are cut, as a feed has it now: for an issuer to mark them in its status list. The delegations are
 * the issuer's own; nothing of them is verified. Throws `store_mismatch` for a feed that was meddled with,
 * `trust_invalid`, `store_failed`.
 */
export async function cutsIn(feed: Feed, trust: Trust): Promise<(delegation: DelegationLike) => boolean> {
  const { manifest } = await trusted(trust);
  const now = Math.floor(Date.now() / 1000);
  const cuts = new Cuts();
  const forms = new Set<Form>();
  for await (const { jws } of rowsOf(feed, now)) {
    const admitted =
      jws === undefined ? undefined : await admit(jws, manifest, "before").catch(() => undefined);
    for (const scope of admitted?.scopes ?? []) {
      const { words, form } = keyOfCut(admitted!.cut.target, scope);
      cuts.add(words, spanOf(admitted!.cut), now);
      forms.add(form);
    }
  }
  return (delegation) => {
    const chain = parseDelegation(delegation);
    const { iss, sub = iss } = parseJson(splitCompact(chain[0]!).payload) as { iss: string; sub?: string };
    const lineage = new Lineage(chain.map(hopOf), sub);
    return [...forms].some((form) => cuts.concerns(lineage.keys(form), lineage.issued));
  };
}
