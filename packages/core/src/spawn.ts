import { type Arguments, type Place, freeze, placeOf } from "./action.ts";
import { toolLabel } from "./label.ts";
import type { AmbientSession } from "./ambient.ts";
import { BehestError, denied } from "./error.ts";
import { kept } from "./record.ts";
import { type CallName, refuseFor } from "./refuse.ts";
import { OpenSession } from "./session.ts";
import type { DelegateRequest, Session } from "./types.ts";

/**
 * Starts a sub-agent under a narrower delegation: one per call, however often the call is made again.
 * While it has not ended, making the call again runs it again under the same token, and its own journal
 * and records keep it from doing anything twice; once it has ended, its answer is returned. The spawn
 * needs no grant of its own: depth and the derived grants govern it, and the derivation is its record.
 */
export async function spawn(
  session: AmbientSession,
  call: CallName,
  request: DelegateRequest,
  run: (child: Session) => Promise<string>,
): Promise<string> {
  if (!(session instanceof OpenSession))
    throw new BehestError(
      "no_session",
      "no_session: this session was not opened by this copy of @behest/core.",
    );
  const place = placeOf(session, call);
  const named: CallName = { ...call, callId: place.callId, turn: place.turn };
  const args = freeze(call.args);
  const begun = await begin(session, place, call.tool, args);
  if (begun.result !== undefined) return begun.result;
  const { engine } = session.deployment;
  const end = (outcome: "done" | "failed", content: ReturnType<typeof kept>[]): Promise<unknown> =>
    engine.finish({
      action: place.id,
      attempt: begun.attempt,
      outcome,
      code: outcome === "done" ? "ok" : "tool_failed",
      content,
      ...(content[0] && { result: content[0].id }),
    });
  try {
    const child = await session.spawn(request, place.id);
    const answer = await child.run(() => run(child));
    await end("done", [kept(session, place.id, "result", answer, session.expires)]);
    return answer;
  } catch (error) {
    await end("failed", []);
    if (!BehestError.isInstance(error) || error.name !== "BehestDenied" || error.code !== "wider_than_parent")
      throw error;
    const { code, message } = error;
    await refuseFor(session, named, { check: "derive", code, message });
    throw error;
  }
}

async function begin(
  session: OpenSession,
  place: Place,
  tool: string,
  args: Arguments,
): Promise<{ attempt: number; result?: string }> {
  for (let attempt = 1; ;) {
    const begun = await session.deployment.engine.begin({
      action: place.id,
      args: session.vault.name("args", tool, args.text),
      attempt,
      repeatable: true,
      expires: session.expires,
    });
    switch (begun.begun) {
      case "started":
        return { attempt };
      case "retry":
        attempt = begun.attempt;
        continue;
      case "ended":
        if (!begun.result)
          throw denied(
            "already_done",
            `${toolLabel(tool, session.tools)}: this sub-agent has ended; its answer is no longer kept.`,
          );
        return { attempt, result: session.vault.open(place.id, "result", begun.result) };
      case "running":
        throw denied(
          "action_running",
          `${toolLabel(tool, session.tools)}: this very sub-agent is running elsewhere.`,
        );
      case "refused":
        throw denied(begun.code, `${toolLabel(tool, session.tools)}: it cannot be started (${begun.code}).`);
    }
  }
}
