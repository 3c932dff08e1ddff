import { CodedError } from "@behest/jws";

/** Closed: a code never changes its meaning. Messages may. */
export type Code =
  | "ok"
  // what an action can be refused for
  | "no_session"
  | "session_ended"
  | "tool_not_granted"
  | "argument_not_granted"
  | "effect_not_granted"
  | "workspace_refused"
  | "amount_unknown"
  | "budget_spent"
  | "args_not_json"
  | "too_large"
  | "wider_than_parent"
  | "fan_out_spent"
  | "delegation_expired"
  | "revoked"
  | "revocation_stale"
  | "profile_invalid"
  | "policy_denied"
  | "approval_needed"
  | "approval_denied"
  | "approval_deferred"
  | "break_glass"
  | "credential_failed"
  | "identity_mismatch"
  | "action_conflict"
  | "action_running"
  | "already_done"
  | "outcome_unknown"
  // how an attempt ended
  | "tool_failed"
  | "aborted"
  | "lease_lapsed"
  // how an agent was put together
  | "tool_unguarded"
  | "tool_unsupported"
  | "middleware_order"
  // what observe() refuses
  | "shadow_only"
  // what open() refuses
  | "delegation_invalid"
  | "holder_mismatch"
  | "issuer_not_allowed"
  | "identity_invalid"
  // what submitting a decision refuses
  | "approval_missing"
  | "approval_invalid"
  // what taking in a revocation refuses
  | "revocation_refused"
  // what goes on in the name of somebody who was erased
  | "principal_erased"
  // what goes on with what was pruned
  | "entry_pruned"
  // what erasing and pruning refuse
  | "principal_unknown"
  | "on_hold"
  | "retained"
  | "cut_in_force"
  | "hold_missing"
  // how a deployment is set up
  | "config_missing"
  | "config_invalid"
  | "profiles_invalid"
  | "key_unsafe"
  | "key_readable"
  | "trust_invalid"
  | "policy_missing"
  | "policy_invalid"
  | "store_mismatch"
  | "store_missing"
  | "store_foreign"
  | "store_unsafe"
  | "store_failed";

/** An action that waits for persons: its id and its tool. */
export interface Waiting {
  readonly approval: string;
  readonly tool: string;
}

interface Details {
  readonly hint?: string;
  readonly waiting?: Waiting;
  readonly deferred?: Waiting;
}

/** Every failure of the enforcement point: a stable `code`, and a `hint` that says what to do. */
export class BehestError extends CodedError<Code> {
  readonly hint?: string;
  /** With `approval_needed`: what waits for persons. */
  readonly waiting?: Waiting;
  /** With `approval_deferred`: what is done later, when persons have decided. */
  readonly deferred?: Waiting;
  constructor(code: Code, message: string, options: ErrorOptions & Details = {}) {
    super(code, message, options);
    if (options.waiting) this.waiting = options.waiting;
    if (options.deferred) this.deferred = options.deferred;
    if (options.hint !== undefined) this.hint = options.hint;
  }
  static override isInstance(error: unknown): error is BehestError {
    return CodedError.isInstance(error) && error.name.startsWith("Behest");
  }
}

/** What the model is told; frameworks print `name: message`. */
export function denied(
  code: Code,
  message: string,
  hint: string = OVER.has(code)
    ? "Nothing more can be done here; end."
    : "Other calls may go on; do not retry this one.",
): BehestError {
  return worded(code, message, { hint });
}

/** With these no other call can go on either. */
const OVER: ReadonlySet<Code> = new Set<Code>([
  "revoked",
  "session_ended",
  "delegation_expired",
  "principal_erased",
]);

/** The same for what waits for persons. `cause`: how it stopped what it was called by. */
export function waitsFor(waiting: Waiting, message: string, cause?: unknown): BehestError {
  const hint = "It waits for a person; do not call it again.";
  return worded("approval_needed", message, { hint, waiting, ...(cause !== undefined && { cause }) });
}

function worded(code: Code, message: string, options: { hint: string; waiting?: Waiting }): BehestError {
  const error = new BehestError(code, `${message} ${options.hint}`, options);
  error.name = "BehestDenied";
  return error;
}
