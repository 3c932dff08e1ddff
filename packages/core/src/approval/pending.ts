import { placeOf } from "../action/place.ts";
import type { AmbientSession } from "../session/ambient.ts";
import { canDefer, canWait, isDeferred, resolveAsk } from "./ask.ts";
import type { Call } from "../action/call.ts";
import { recordDenial } from "../action/denial.ts";
import { holdersOf } from "./enrolled.ts";
import type { BehestError } from "../error.ts";
import { judge } from "../action/judge.ts";
import type { LiveSession } from "../session/live.ts";
import { toolLabel } from "../action/label.ts";
import { actionSpan } from "../record/span.ts";
import { type Standing, standingOf } from "./standing.ts";

/**
 * Asks the persons who have to approve this very call, before a framework starts it: what `perform` would
 * reject with, `approval_needed` or `approval_denied`, both recorded; undefined where it needs nobody, may
 * not wait, or is approved. Nothing is started: `perform` decides all of it again.
 */
export async function pending(
  session: AmbientSession,
  call: Call<unknown>,
): Promise<BehestError | undefined> {
  if (!canWait(session, call)) return undefined;
  const place = placeOf(session, call);
  const { draft, lifted } = await judge(session, call, place);
  if (draft.verdict.verdict !== "ask") return undefined;
  // What is deferred is told so by the body; what was to wait when it was asked for waits.
  if (canDefer(session, call) && (await comeOf(session, place.id)) === undefined) return undefined;
  const span = actionSpan(session, toolLabel(call.tool, session.tools), place.callId);
  return span.enter(async () => {
    try {
      const resolved = await resolveAsk(session, { draft, call, lifted }, span);
      // The body will have a span of its own; this one, never ended, is never exported.
      if ("draft" in resolved) return undefined;
      if ("waiting" in resolved && resolved.waiting.deferred) return undefined;
      const error =
        "waiting" in resolved ? resolved.waiting : await recordDenial(session, resolved.refused, span);
      span.end(error.code);
      return error;
    } catch (error) {
      span.end("error");
      throw error;
    }
  });
}

/** What has come of asking for an action. `spent`: it has started. `deferred`: nobody waits for it with the call. */
export type Come = Standing["state"] | "spent" | "deferred";

/** What has come of asking persons for an action; undefined where nobody was asked. */
export async function comeOf(session: LiveSession, action: string): Promise<Come | undefined> {
  const { deployment, vault } = session;
  const row = await deployment.engine.approval(action);
  if (!row || row.principal !== vault.principal) return undefined;
  if (isDeferred(session, row)) return "deferred";
  return row.spent ? "spent" : (await standingOf(deployment, vault, row, holdersOf(session))).state;
}
