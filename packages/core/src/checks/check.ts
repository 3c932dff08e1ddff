import type { Finding, Verdict } from "../types.ts";
import { approval } from "./approval.ts";
import { budget } from "./budget.ts";
import { grant } from "./grant.ts";
import { identity } from "./identity.ts";
import { lineage } from "./lineage.ts";
import { policy } from "./policy.ts";
import { profile } from "./profile.ts";
import type { Wanted } from "./wanted.ts";
import { workspace } from "./workspace.ts";

/** `undefined`: there was nothing to look at. */
type Check = (wanted: Wanted) => Finding | undefined;

/** Cheapest first; the first denial ends it. A check that throws is a denial by its caller. */
const CHECKS: readonly Check[] = [lineage, identity, grant, profile, workspace, budget, policy, approval];

export function decide(wanted: Wanted): Verdict {
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    const finding = check(wanted);
    if (!finding) continue;
    findings.push(finding);
    if (finding.code === "ok" || onlyRecorded(finding, wanted)) continue;
    if (isTried(finding, wanted)) return { verdict: "permit", findings };
    if (!finding.needs && !isLifted(finding, wanted)) return { verdict: "deny", findings };
  }
  if (wanted.override !== undefined)
    return { verdict: "permit", findings: [...findings, breakGlass(wanted.override)] };
  // What is left when only a signature is missing.
  return { verdict: findings.some(({ needs }) => needs) ? "ask" : "permit", findings };
}

/** Which agent runs is the deployment's to judge: unless it refuses others, the record shows it. */
function onlyRecorded({ code }: Finding, { session }: Wanted): boolean {
  return code === "identity_mismatch" && session.deployment.identity === "record";
}

/** What a deployment under shadow records and does not stop; a session that is over is over there, too. */
const TRIED: ReadonlySet<string> = new Set([
  "identity",
  "grant",
  "profile",
  "workspace",
  "policy",
  "approval",
]);

/** What an override lifts: never what was not delegated, nor what policies could not be evaluated for. */
function isLifted({ liftable }: Finding, { override }: Wanted): boolean {
  return override !== undefined && liftable === true;
}

/** Never silent: behind what would have stopped it. */
function breakGlass(override: string): Finding {
  return { check: "override", code: "break_glass", rule: override, message: "an override is in force" };
}

function isTried({ check }: Finding, { session }: Wanted): boolean {
  return session.deployment.enforce === "shadow" && TRIED.has(check);
}
