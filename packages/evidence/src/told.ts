import type { Facts } from "@behest/core/replay";
import type { Json } from "@behest/jws";
import type { ApprovalEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import type { EvidenceApproval, EvidenceDelegation, SignedApproval } from "./report.ts";

/** An approval entry, and who signed it. */
export interface Approving {
  readonly index: number;
  readonly payload: ApprovalEntry;
  readonly signed: SignedApproval | undefined;
}

/** As its process called the agent. */
export function nameIn(facts: Json | undefined): string | undefined {
  const { agent } = (facts ?? {}) as unknown as Partial<Facts>;
  return typeof agent?.name === "string" ? agent.name : undefined;
}

/** What a proven token says. */
export function tokenOf({
  issuer,
  principal,
  consent,
  leaf,
  tools,
  restrictions,
}: NonNullable<KnownDelegation["verified"]>): NonNullable<EvidenceDelegation["token"]> {
  const { agent, task, exp } = leaf;
  return {
    principal: { issuer, subject: principal },
    consent: consent.rung,
    ...(agent !== undefined && { agent }),
    ...(task !== undefined && { task }),
    tools,
    ...(restrictions && { restrictions }),
    expires: new Date(exp * 1000).toISOString(),
  };
}

/** `failed`: something speaks against its entry. */
export function approvalOf({ index, payload, signed }: Approving, failed: boolean): EvidenceApproval {
  return {
    index,
    kind: payload.kind,
    at: payload.at,
    state: failed || !signed ? "failed" : "proven",
    ...(signed && { signed }),
  };
}
