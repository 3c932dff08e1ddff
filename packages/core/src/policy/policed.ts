import type { Manifest } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { loadPolicies } from "./policies.ts";
import type { Policies } from "./prepare.ts";
import { shortageText, shortages } from "./shortage.ts";

/** No policies: what a delegation grants is permitted, whatever the tool can do. */
const GRANTS_ALONE = "grants-alone";
/** Nothing is decided: this process opens no session. */
export const NO_AGENTS = "no-agents";

/** The policies of a deployment by what its configuration says. Throws `policy_missing`, `policy_invalid`. */
export async function policiesOf(policy: string = "default"): Promise<Policies | undefined> {
  return policy === GRANTS_ALONE || policy === NO_AGENTS ? undefined : loadPolicies(policy);
}

/** Where the trust manifest lists sets of policies, only those decide, if any do. Throws `policy_invalid`. */
export function refuseUnlisted(
  { policies, runsAgents }: Pick<Deployment, "policies" | "runsAgents">,
  manifest: Manifest,
): void {
  if (!runsAgents || !manifest.policies || (policies && manifest.policies.includes(policies.digest))) return;
  const digest = policies ? `, whose digest is ${policies.digest}` : ": grants alone";
  throw new BehestError(
    "policy_invalid",
    `policy_invalid: the trust manifest does not list these policies${digest}. Have the owner list them, or use those that it lists.`,
  );
}

/** What nobody could ever approve would wait until it is denied: said at start. */
export function warnOfShortages({ rules }: Policies, manifest: Manifest): void {
  for (const shortage of shortages(rules, manifest))
    process.emitWarning(shortageText(shortage), { code: "BEHEST_NO_APPROVER" });
}
