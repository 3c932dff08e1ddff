import type { Call } from "./call.ts";
import { decode } from "./codec.ts";
import { denied } from "./error.ts";
import { toolLabel } from "./label.ts";
import type { LiveSession } from "./live.ts";
import type { Draft } from "./record.ts";
import type { BeginResult } from "./store/types.ts";
import type { Outcome } from "./types.ts";

/** What a call gets that does not start: the recorded outcome, or the reason. */
export function replay<T>(session: LiveSession, call: Call<T>, draft: Draft, begun: BeginResult): Outcome<T> {
  const label = toolLabel(draft.tool, session.tools);
  switch (begun.begun) {
    case "refused":
      throw denied(
        begun.code,
        begun.code === "delegation_expired"
          ? "the delegation has expired."
          : `${label}: this call was made before with other arguments.`,
      );
    case "running":
      throw denied("action_running", `${label}: this very call is running elsewhere.`);
    case "ended": {
      if (begun.outcome === "unknown")
        throw denied(
          "outcome_unknown",
          `${label}: it was started and nobody knows how it ended; it is not run again.`,
        );
      if (begun.outcome !== "done")
        throw denied(
          "already_done",
          `${label}: this very call ran before and ${begun.outcome === "failed" ? "failed" : "was aborted"}; it is not run again.`,
        );
      if (!begun.result)
        throw denied("already_done", `${label}: this very call has been done; its result is no longer kept.`);
      const text = session.vault.open(draft.place.id, "result", begun.result);
      return { outcome: "done", value: decode(text, call.codec) };
    }
    default:
      throw new TypeError(`begin answered ${begun.begun}`);
  }
}
