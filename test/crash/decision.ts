import { parseJson, splitCompact } from "@behest/jws";
import { approverOf } from "@behest/provenance";

/** What a decision says, its signature unverified: that is for those who rely on it. */
export function saidIn(jws: string): { readonly decision: "approve" | "deny"; readonly key: string } {
  const { decision } = parseJson(splitCompact(jws).payload) as { decision: "approve" | "deny" };
  return { decision, key: approverOf(jws) };
}
