import { FormatError } from "@behest/jws";
import { type Arguments, type Place, freeze, notJson } from "./action.ts";
import type { Call } from "./call.ts";
import { decide } from "./checks/check.ts";
import { toolLabel } from "./label.ts";
import type { LiveSession } from "./live.ts";
import type { Draft } from "./record.ts";
import type { Verdict } from "./types.ts";

export interface Judged {
  readonly draft: Draft;
  /** Absent where they are not JSON. */
  readonly args?: Arguments;
}

/** What the checks say of a call now. Nothing is recorded. */
export function judge(session: LiveSession, call: Call<unknown>, place: Place): Judged {
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
  const verdict = decide({ session, tool, args: args.value, class: actionClass, model, now: at });
  return { draft: { place, tool, text: args.text, class: actionClass, verdict, at }, args };
}
