import type { Ended } from "./body.ts";
import type { Reservation } from "../budget/budget.ts";
import type { Call } from "./call.ts";
import { encode } from "./codec.ts";
import { background } from "../deployment.ts";
import { type Code, denied } from "../error.ts";
import { toolLabel } from "./label.ts";
import type { LiveSession } from "../session/live.ts";
import { type Draft, kept, outcomeEntry } from "../record/record.ts";
import type { ActionSpan } from "../record/span.ts";
import type { Charge, Placed } from "../store/types.ts";
import type { Outcome } from "../types.ts";

const CODES: { readonly [word in Ended<unknown>["outcome"]]: Code } = {
  done: "ok",
  failed: "tool_failed",
  aborted: "aborted",
  unknown: "outcome_unknown",
};

/** An attempt that has begun, and has come to its end. */
export interface Running {
  readonly draft: Draft;
  readonly span: ActionSpan;
  readonly attempt: number;
  /** ms since the epoch. */
  readonly from: number;
  readonly reservations: readonly Reservation[];
  readonly action: Placed;
  /** Name of the credential that the body was handed. */
  readonly credential?: string | undefined;
}

/** Ends the attempt in the store, which is when its outcome counts, and in its span. */
export async function finish<T>(
  session: LiveSession,
  call: Call<T>,
  r: Running,
  ended: Ended<T>,
): Promise<Outcome<T>> {
  const { engine, clock, keep } = session.deployment;
  const { id } = r.draft.place;
  const text = ended.outcome === "done" ? encode(ended.value, call.codec) : undefined;
  const result =
    text === undefined ? undefined : kept(session, id, "result", text, keep ? undefined : session.expires);
  const unstarted = "unstarted" in ended;
  const code = unstarted && ended.outcome === "failed" ? "credential_failed" : CODES[ended.outcome];
  const now = clock();
  const finished = await engine.finish({
    action: id,
    attempt: r.attempt,
    outcome: ended.outcome,
    code,
    entry: outcomeEntry(
      {
        action: id,
        attempt: r.attempt,
        outcome: ended.outcome,
        code,
        ...(r.credential !== undefined && { credential: r.credential }),
        ...(!unstarted && { started: new Date(r.from).toISOString() }),
        ...(ended.outcome !== "unknown" && { ended: new Date(now).toISOString() }),
        content: { ...(result && { result: result.id }) },
        links: { action: r.action.hash },
      },
      now,
    ),
    ...(result && { content: [result], result: result.id }),
    ...(unstarted && { unspent: unspent(r) }),
  });
  if (finished.finished === "late") {
    r.span.end("outcome_unknown");
    throw denied(
      "outcome_unknown",
      `${toolLabel(r.draft.tool, session.tools)}: this process was away for too long; what it did is recorded as unknown.`,
    );
  }
  r.span.end(ended.outcome === "done" ? undefined : code);
  if ("late" in ended && ended.late !== undefined && finished.placed)
    reconcile(session, r, finished.placed.hash, ended.late);
  return ended.outcome === "done" ? ended : { outcome: ended.outcome, code, error: ended.error };
}

/**
 * A body that did not listen was recorded as unknown. When it ends after all, that is recorded beside the outcome, which
 * stands; what it returned is nobody's.
 */
function reconcile(
  session: LiveSession,
  { draft, attempt, action }: Running,
  unknown: string,
  late: Late,
): void {
  const { engine, clock } = session.deployment;
  void late.then((outcome) => {
    const now = clock();
    const entry = outcomeEntry(
      {
        action: draft.place.id,
        attempt,
        outcome,
        code: CODES[outcome],
        ended: new Date(now).toISOString(),
        content: {},
        links: { action: action.hash, outcome: unknown },
      },
      now,
    );
    const once = lateKey(draft.place.id, attempt);
    background(session.deployment, engine.append({ entry, once }));
  });
}

/** `once` of the entry that says how a body ended whose outcome is recorded as unknown. */
export function lateKey(action: string, attempt: number | ""): string {
  return `late:${action}:${attempt}`;
}

type Late = NonNullable<Extract<Ended<unknown>, { outcome: "unknown" }>["late"]>;

/**
 * A body that has started may have paid, however it ended: only one that never did gives its amounts back. Its call
 * was made all the same, so that a loop of them ends. A later attempt may not have been charged at all: what it would
 * give back is what the body of an earlier one has paid.
 */
function unspent({ attempt, reservations }: Running): readonly Charge[] {
  if (attempt > 1) return [];
  return reservations.filter((reservation) => reservation.of === "amount").map(({ charge }) => charge);
}
