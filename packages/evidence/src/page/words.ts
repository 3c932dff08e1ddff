import type { OutcomeWord } from "@behest/provenance";
import type { Aspect, EvidenceApproval, EvidenceRecord } from "../report.ts";

export const VERDICTS: { readonly [verdict in EvidenceRecord["verdict"]]: string } = {
  permit: "permitted",
  deny: "denied",
  ask: "asked a person",
};

export const OUTCOMES: { readonly [word in OutcomeWord]: string } = {
  done: "done",
  failed: "failed",
  aborted: "aborted",
  unknown: "unknown: it started, and what came of it is not recorded",
};

export const APPROVALS: { readonly [kind in EvidenceApproval["kind"]]: string } = {
  decision: "this action",
  mandate: "a number of such actions ahead of time",
  override: "break-glass: what policies would have stopped",
};

export const ASPECTS: { readonly [aspect in Aspect]: string } = {
  entry: "stands in the log",
  authority: "delegated",
  decision: "wanted by the agent",
  grant: "grants decide the same",
  policy: "policies decide the same",
  approval: "approved",
  revocation: "not revoked",
  outcome: "outcome",
  content: "contents",
};

/** What stands out of the ordinary, for the eye. */
export function marksOf({ override, enforce, observed }: EvidenceRecord): string[] {
  return [
    ...(override ? ["BREAK-GLASS"] : []),
    ...(enforce === "shadow" ? ["SHADOW: nothing was enforced"] : []),
    ...(observed ? ["OBSERVED: no delegation"] : []),
  ];
}

/** Whether anything of it speaks against it. */
export function hasFailed({ states }: EvidenceRecord): boolean {
  return Object.values(states).some((state) => state === "failed" || state === "missing");
}
