import { canonical } from "@behest/jws";
import { erased } from "./erasure.ts";
import { conflict } from "./failure.ts";
import type { OutcomeEntry, OutcomeWord } from "@behest/provenance";
import type {
  ApprovalRow,
  Begin,
  BeginResult,
  DelegationRow,
  Draft,
  Finish,
  StoredApproval,
} from "./types.ts";

/** What a store remembers of an action. */
export interface ActionState {
  readonly args: string;
  /** What they were parsed from, where that is known. */
  readonly given?: string | undefined;
  /** The latest one. */
  readonly attempt: number;
  readonly repeatable: boolean;
  /** Counters that its attempts were charged to. */
  readonly charged: readonly string[];
  /** Absent while the attempt is under way. */
  readonly outcome?: OutcomeWord | undefined;
  readonly code?: string | undefined;
}

export type BeginRuling =
  | { readonly next: "start" }
  /** Its lease is over: close the attempt as {@link lapsed}, then ask again. */
  | { readonly next: "lapse" }
  /** Tell what is recorded; the store joins the result. */
  | { readonly next: "tell"; readonly outcome: OutcomeWord; readonly code: string }
  | { readonly next: "answer"; readonly answer: Exclude<BeginResult, { begun: "started" | "ended" }> };

/**
 * The one rule of starting. In this order: other arguments are refused whatever the state, unless they were parsed
 * from the same that was given before; what has ended is told, expired or not; a living attempt is left alone; one that
 * ended otherwise than `done` starts again only with the same arguments, and where both its first start and this
 * request call it repeatable; nothing starts under a delegation that has expired.
 * `now` is the store's time, `living` whether the lease of the running attempt is.
 */
export function ruleBegin(
  state: ActionState | undefined,
  request: Begin,
  now: number,
  living: () => boolean,
): BeginRuling {
  if (state) {
    const same = state.args === request.args;
    // A default may come out otherwise each time: then what was done is told, and nothing is done.
    const reparsed = state.given !== undefined && state.given === request.given;
    if (!same && !reparsed) return refused("action_conflict");
    const { outcome, code } = state;
    if (outcome === undefined)
      return living() ? { next: "answer", answer: { begun: "running" } } : { next: "lapse" };
    const again = same && outcome !== "done" && state.repeatable && request.repeatable;
    if (!again) return { next: "tell", outcome, code: code ?? outcome };
  }
  if (request.expires <= now) return refused("delegation_expired");
  const attempt = (state?.attempt ?? 0) + 1;
  return request.attempt === attempt
    ? { next: "start" }
    : { next: "answer", answer: { begun: "retry", attempt } };
}

function refused(code: "action_conflict" | "delegation_expired"): BeginRuling {
  return { next: "answer", answer: { begun: "refused", code } };
}

/** Only the attempt under way may be finished, and only by whoever holds its lease; else the finish is late. */
export function mayFinish(state: ActionState | undefined, request: Finish, holdsLease: boolean): boolean {
  return (
    state !== undefined && state.outcome === undefined && state.attempt === request.attempt && holdsLease
  );
}

/** What an attempt becomes when its lease is over. */
export const LAPSED = { outcome: "unknown", code: "lease_lapsed" } as const;

/** The entry that closes such an attempt; `hash` is its action entry's. */
export function lapsed(action: string, attempt: number, hash: string, now: number): Draft {
  const payload: OutcomeEntry = {
    v: 1,
    type: "outcome",
    at: new Date(now).toISOString(),
    action,
    attempt,
    ...LAPSED,
    content: {},
    links: { action: hash },
  };
  return canonical(payload);
}

/**
 * `stored`: the delegation of this leaf, else the spawned one of this jti. A jti is taken only among spawned
 * delegations, whose jti the parent fixes: issuers choose theirs freely and must not block one another.
 */
export function ruleDelegation(
  stored: Pick<DelegationRow, "leaf" | "request" | "principal"> | undefined,
  row: DelegationRow,
): "new" | "again" | "action_conflict" {
  if (!stored) return "new";
  // It was met before its principal was erased: under another name it would tie both together.
  if (stored.leaf === row.leaf && stored.principal !== row.principal) throw erased();
  return stored.leaf === row.leaf && stored.request === row.request ? "again" : "action_conflict";
}

/**
 * Whether an attempt may start as far as persons are concerned: what they were asked of this very action, since it was
 * judged or before, is among what it rests on, also where it would be permitted without; and each of that holds as it
 * was judged. A later attempt of a read rests on the ask that its first one has spent.
 */
export function mayStart(
  { action, args, attempt, rests = [] }: Begin,
  approval: (id: string) => StoredApproval | undefined,
  now: number,
): boolean {
  if (approval(action) && !rests.some(({ id }) => id === action)) return false;
  return rests.every(({ id, decisions }) => {
    const row = approval(id);
    if (!row) return false;
    if (row.kind === "ask" && (id !== action || row.args !== args)) return false;
    if (row.decisions.length !== decisions) return false;
    return row.spent ? attempt > 1 : row.expires > now;
  });
}

/** Index of the entry that asked for the same before. Throws where it asked with other arguments. */
export function askedBefore(stored: StoredApproval | undefined, row: ApprovalRow): number | undefined {
  if (stored && stored.args !== row.args) throw conflict();
  return stored?.asked.index;
}
