import type { DelegationLike, Signer } from "@behest/delegation";
import { randomBytes, toBase64url } from "@behest/jws";
import {
  LONGEST_OVERRIDE,
  type OverrideStatement,
  commit,
  opens,
  signOverrideStatement,
} from "@behest/provenance";
import { type ApprovalDecision, invalid } from "./approval.ts";
import { leafOf } from "./mandate.ts";

export interface OverrideRequest {
  /** Whom it is for: the sessions in whose chain its last token is. */
  readonly delegation: DelegationLike;
  /** Default: all that are delegated. */
  readonly tools?: readonly string[];
  readonly reason: string;
  /** ms since the epoch; at most an hour ahead. */
  readonly expires: number;
}

/** An override, as a person is shown it and signs it. Plain JSON. */
export interface Override {
  /** What a signature is over. `reason`, its name, commits to the reason. */
  readonly about: Omit<OverrideStatement, "v" | "decision" | "iat">;
  readonly reason: string;
  readonly salt: string;
}

export interface SignedOverride extends ApprovalDecision {
  readonly override: Override;
}

/** Throws `approval_invalid` for what is no override. */
export function draftOverride({ delegation, tools, reason, expires }: OverrideRequest): Override {
  const salt = toBase64url(randomBytes(32));
  const override: Override = {
    about: {
      leaf: leafOf(delegation),
      ...(tools && { tools }),
      reason: commit(salt, reason),
      exp: Math.floor(expires / 1000),
    },
    reason,
    salt,
  };
  checkOverride(override);
  return override;
}

/**
 * Signs an override, or ends it (`deny`), as a person of the group `break-glass`. Runs where that person is, never in a
 * process that runs agents. Throws `approval_invalid` where it would hold for more than an hour, or what is shown is not
 * what would be signed.
 */
export async function signOverride(
  override: Override,
  { decision }: { readonly decision: "approve" | "deny" },
  signer: Signer,
): Promise<SignedOverride> {
  checkOverride(override);
  const iat = Math.floor(Date.now() / 1000);
  if (decision === "approve" && override.about.exp - iat > LONGEST_OVERRIDE)
    throw invalid("an override holds for an hour at most");
  const statement: OverrideStatement = { v: 1, decision, ...override.about, iat };
  return { jws: await signOverrideStatement(statement, signer), override };
}

/** Throws where it gives no reason, or another than was committed to. */
export function checkOverride({ about, reason, salt }: Override): void {
  if (reason.trim() === "" || !reason.isWellFormed() || !opens(about.reason, salt, reason))
    throw invalid("its reason is missing, or not what a signature would cover");
}
