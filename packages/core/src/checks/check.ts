import type { Finding, Verdict } from "../types.ts";
import { approval } from "./approval.ts";
import { grant } from "./grant.ts";
import { identity } from "./identity.ts";
import { lineage } from "./lineage.ts";
import { policy } from "./policy.ts";
import { profile } from "./profile.ts";
import type { Wanted } from "./wanted.ts";

/** `undefined`: there was nothing to look at. */
type Check = (wanted: Wanted) => Finding | undefined;

/** Cheapest first; the first denial ends it. A check that throws is a denial by its caller. */
const CHECKS: readonly Check[] = [lineage, identity, grant, profile, policy, approval];

export function decide(wanted: Wanted): Verdict {
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    const finding = check(wanted);
    if (!finding) continue;
    findings.push(finding);
    if (isDenial(finding) && !onlyRecorded(finding, wanted)) return { verdict: "deny", findings };
  }
  // What is left when only a signature is missing.
  return { verdict: findings.some(({ needs }) => needs) ? "ask" : "permit", findings };
}

function isDenial({ code, needs }: Finding): boolean {
  return code !== "ok" && !needs;
}

/** Which agent runs is the deployment's to judge: unless it refuses others, the record shows it. */
function onlyRecorded({ code }: Finding, { session }: Wanted): boolean {
  return code === "identity_mismatch" && session.deployment.identity === "record";
}
