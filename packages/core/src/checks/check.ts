import type { Finding, Verdict } from "../types.ts";
import { grant } from "./grant.ts";
import { lineage } from "./lineage.ts";
import { profile } from "./profile.ts";
import type { Wanted } from "./wanted.ts";

type Check = (wanted: Wanted) => Finding;

/** Cheapest first; the first denial ends it. A check that throws is a denial by its caller. */
const CHECKS: readonly Check[] = [lineage, grant, profile];

export function decide(wanted: Wanted): Verdict {
  const findings: Finding[] = [];
  for (const check of CHECKS) {
    const finding = check(wanted);
    findings.push(finding);
    if (finding.code !== "ok") return { verdict: "deny", findings };
  }
  return { verdict: "permit", findings };
}
