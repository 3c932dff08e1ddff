import type { AuthorizationAnswer } from "@cedar-policy/cedar-wasm/nodejs";
import type { Cedar } from "./cedar.ts";
import type { Call } from "./request.ts";

interface Answer {
  readonly decision: "allow" | "deny" | "failed";
  /** Those that decided or failed, sorted. */
  readonly rules: readonly string[];
}

/** `text`: the call, written out. */
export type Asking = (call: Call, text: string) => Answer;

/** Characters of a call that is remembered, and how many. */
const SHORT = 4000;
const KNOWN = 64;

/**
 * Asks the policies that Cedar holds ready under a name. An action is asked about again within a moment: by a
 * framework before its tool and by the tool's body, and once more where persons have to approve it. What a policy
 * reads is all in the call, the time included, so the same call has the same answer for ever.
 */
export function asking(cedar: Cedar, preparsedPolicySetId: string): Asking {
  const known = new Map<string, Answer>();
  return (call, text) => {
    const before = known.get(text);
    if (before) return before;
    const answer = answered(cedar.statefulIsAuthorized({ ...call, preparsedPolicySetId }));
    if (known.size >= KNOWN) known.clear();
    if (text.length <= SHORT) known.set(text, answer);
    return answer;
  };
}

/** A forbid that errs is passed over by Cedar, and what it stood against would be allowed: an error is a failure. */
function answered(answer: AuthorizationAnswer): Answer {
  if (answer.type === "failure") return { decision: "failed", rules: [] };
  const { decision, diagnostics } = answer.response;
  const { errors, reason } = diagnostics;
  return errors.length > 0
    ? { decision: "failed", rules: Object.freeze(errors.map(({ policyId }) => policyId).toSorted()) }
    : { decision, rules: Object.freeze(reason.toSorted()) };
}
