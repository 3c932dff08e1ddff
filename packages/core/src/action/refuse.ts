import { type Place, placeOf } from "./place.ts";
import { freeze } from "./arguments.ts";
import { toolLabel } from "./label.ts";
import { recordDenial } from "./denial.ts";
import type { BehestError, Code } from "../error.ts";
import type { LiveSession } from "../session/live.ts";
import { actionSpan } from "../record/span.ts";
import type { Finding } from "../types.ts";

/** Which call is meant, as far as it is known. */
export interface CallName {
  readonly tool: string;
  readonly args?: unknown;
  readonly callId?: string | undefined;
  readonly turn?: string | undefined;
}

/**
 * Records a call that is refused before any check could run (an unguarded tool, say) and answers with the
 * error to throw. `tool` empty: there is no such tool, and the name that the model made up stays out.
 */
export function refuse(
  session: LiveSession,
  call: CallName,
  code: Code,
  message: string,
): Promise<BehestError> {
  return refuseFor(session, call, placeOf(session, call), { check: "guard", code, message });
}

export function refuseFor(
  session: LiveSession,
  call: CallName,
  place: Place,
  finding: Finding,
): Promise<BehestError> {
  const span = actionSpan(session, toolLabel(call.tool, session.tools), place.callId);
  const text = textOf(call.args);
  return recordDenial(
    session,
    {
      place,
      tool: call.tool,
      text,
      class: session.classOf(call.tool, null),
      verdict: { verdict: "deny", findings: [finding] },
      at: session.deployment.clock(),
    },
    span,
  );
}

function textOf(args: unknown): string {
  try {
    return freeze(args ?? null).text;
  } catch {
    return "args_not_json";
  }
}
