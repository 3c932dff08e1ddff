import { FormatError } from "@behest/jws";
import { type Place } from "./place.ts";
import { factsText } from "../policy/facts.ts";
import { type Arguments, freeze, notJson } from "./arguments.ts";
import type { Call } from "./call.ts";
import { decide } from "../checks/check.ts";
import { toolLabel } from "./label.ts";
import { argsAsAsked } from "../approval/ask.ts";
import type { LiveSession } from "../session/live.ts";
import { type InForce, type Lifted, isLiftable, overrideFor } from "../approval/overrides.ts";
import type { Draft } from "../record/record.ts";
import type { Verdict } from "../types.ts";

export interface Judged {
  readonly draft: Draft;
  /** Absent where they are not JSON. */
  readonly args?: Arguments;
  /** The same where an override is in force that lets it start. */
  readonly lifted?: Lifted;
}

/** What was found when it was to begin. */
interface Tried {
  /** Overrides that no longer were in force. */
  readonly without?: ReadonlySet<string>;
  /** Persons were asked for it, whatever the checks say now. */
  readonly asked?: boolean;
}

/**
 * What the checks say of a call now, and under an override where they stop it. What persons were asked for is decided on
 * as it was parsed then: a default may differ each time. Nothing is recorded.
 */
export async function judge(
  session: LiveSession,
  call: Call<unknown>,
  place: Place,
  { without = new Set(), asked = false }: Tried = {},
): Promise<Judged> {
  const judged = judgedBy(session, call, place);
  if (!isLiftable(judged.draft.verdict) && !asked && !session.parts.defers) return judged;
  const args = await argsAsAsked(session, place.id, call);
  const shown = args === undefined ? call : { ...call, args };
  const found = args === undefined ? judged : judgedBy(session, shown, place);
  if (!isLiftable(found.draft.verdict)) return found;
  const override = await overrideFor(session, call.tool, without);
  if (!override) return found;
  const { draft } = judgedBy(session, shown, place, override);
  return draft.verdict.verdict === "permit" ? { ...found, lifted: { draft, override } } : found;
}

function judgedBy(
  session: LiveSession,
  call: Call<unknown>,
  place: Place,
  override?: InForce,
): Omit<Judged, "lifted"> {
  const { tool, definition } = call;
  const at = session.deployment.clock();
  let args: Arguments;
  try {
    args = freeze(call.args);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const verdict: Verdict = { verdict: "deny", findings: [notJson(toolLabel(tool, session.tools))] };
    return { draft: { place, tool, text: "args_not_json", class: session.classOf(tool, null), verdict, at } };
  }
  const actionClass = session.classOf(tool, args.value, definition);
  const { model } = session.turn(place.turn) ?? {};
  let facts: string | undefined;
  const verdict = decide({
    session,
    tool,
    args: args.value,
    class: actionClass,
    model,
    now: at,
    override: override?.id,
    evaluated: (request) => (facts = factsText(request)),
  });
  const draft: Draft = { place, tool, text: args.text, facts, class: actionClass, verdict, at };
  return { draft, args };
}
