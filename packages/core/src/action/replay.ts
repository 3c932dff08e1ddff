import type { Call } from "./call.ts";
import { decode } from "./codec.ts";
import type { OutcomeWord } from "@behest/provenance";
import { type BehestError, denied } from "../error.ts";
import { toolLabel } from "./label.ts";
import type { LiveSession } from "../session/live.ts";
import type { Draft } from "../record/record.ts";
import type { BeginResult } from "../store/types.ts";
import type { Outcome } from "../types.ts";

/** What a call gets that does not start: the recorded outcome, or the reason. */
export function replay<T>(
  session: LiveSession,
  call: Call<T>,
  draft: Draft,
  begun: Exclude<BeginResult, { code: "cuts_unseen" }>,
): Outcome<T> {
  const label = toolLabel(draft.tool, session.tools);
  switch (begun.begun) {
    case "refused":
      throw denied(begun.code, `${label}: ${REFUSED[begun.code]}`);
    case "running":
      throw denied("action_running", `${label}: this very call is running elsewhere.`);
    case "ended": {
      if (!begun.result) throw ended(label, begun.outcome);
      const text = session.vault.open(draft.place.id, "result", begun.result);
      return { outcome: "done", value: decode(text, call.codec) };
    }
    default:
      throw new TypeError(`begin answered ${begun.begun}`);
  }
}

type Refused = Exclude<Extract<BeginResult, { begun: "refused" }>["code"], "cuts_unseen">;
const REFUSED: { readonly [code in Refused]: string } = {
  delegation_expired: "the delegation has expired.",
  action_conflict: "this call was made before with other arguments.",
  budget_spent: "a limit of the delegation is used up.",
  approval_needed: "its approval was spent, has expired, or somebody has decided since.",
};

/** Why a call that has ended is neither made again nor answered. */
export function ended(label: string, outcome: OutcomeWord): BehestError {
  switch (outcome) {
    case "unknown":
      return denied(
        "outcome_unknown",
        `${label}: it was started and nobody knows how it ended; it is not run again.`,
      );
    case "done":
      return denied("already_done", `${label}: this very call has been done; its result is no longer kept.`);
    case "failed":
    case "aborted": {
      const how = outcome === "failed" ? "failed" : "was aborted";
      return denied("already_done", `${label}: this very call ran before and ${how}; it is not run again.`);
    }
  }
}
