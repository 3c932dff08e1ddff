/** Why an action was refused or asked about, for readers who do not know the codes. */
const CODES: { readonly [code: string]: string } = {
  tool_not_granted: "the tool was not delegated",
  argument_not_granted: "an argument is not what was delegated",
  effect_not_granted: "what it does is more than was delegated",
  workspace_refused: "it lies outside of the workspace that was delegated",
  amount_unknown: "amounts are limited, and the tool does not say what it spends",
  budget_spent: "a limit is used up",
  wider_than_parent: "more was to be handed on than was delegated",
  fan_out_spent: "it may be handed on to no more agents",
  delegation_expired: "the delegation had ended",
  revoked: "it was revoked",
  revocation_stale: "whether it was revoked could not be told in time",
  profile_invalid: "what the tool would do could not be told",
  policy_denied: "a policy forbids it, or none permits it",
  approval_needed: "a person has to approve it",
  approval_denied: "a person denied it",
  approval_deferred: "it waits for a person, and the agent goes on",
  break_glass: "a person's override let it go ahead",
  credential_failed: "the credential for the call could not be had",
  identity_mismatch: "the agent is not the one that was delegated to",
  principal_erased: "the person was erased",
};

/** In words, where there are any. */
export function meaning(code: string): string | undefined {
  return Object.hasOwn(CODES, code) ? CODES[code] : undefined;
}
