import { FormatError, type Json, canonical } from "@behest/jws";
import { type Place, placeOf } from "../action/place.ts";
import { type Arguments, freeze, notJson } from "../action/arguments.ts";
import { canDefer, canWait } from "../approval/ask.ts";
import { STOPPED } from "../checks/lineage.ts";
import { toolLabel } from "../action/label.ts";
import { BehestError, type Code, denied, waitsFor } from "../error.ts";
import { ended } from "../action/replay.ts";
import type { FinishResult } from "../store/types.ts";
import { kept } from "../record/record.ts";
import { type CallName, refuseFor } from "../action/refuse.ts";
import type { OpenSession } from "./session.ts";
import type { DelegateRequest, Session } from "../types.ts";

/** The call of a tool that starts a sub-agent. */
export interface SpawnCall extends CallName {
  /** The framework's own signal; it stops the sub-agent too. */
  readonly signal?: AbortSignal | undefined;
  /** As of any call: whether it can be made again when persons have decided on what its sub-agent does. Default true. */
  readonly waits?: boolean | undefined;
  readonly defers?: boolean | undefined;
}

/** What the sub-agent may do, or a function of the frozen arguments that says so. */
export type Delegate = DelegateRequest | ((args: Json) => DelegateRequest);

/** What a sub-agent is refused for that has no delegation yet. */
const UNDERIVED: ReadonlySet<Code> = new Set<Code>(["wider_than_parent", "fan_out_spent"]);

/**
 * Starts a sub-agent under a narrower delegation: one per call, however often the call is made again.
 * While it has not ended, making the call again runs it again under the same token, and its own journal
 * and records keep it from doing anything twice; once it has ended, its answer is returned. The spawn
 * needs no grant of its own: depth, fan-out and the derived grants govern it, and the derivation is its record.
 * While an action below it waits for persons it has not ended, whatever its sub-agent answers: it rejects with
 * that action's `waiting`, and what its sub-agent threw, if it did, is the `cause`.
 */
export async function spawn(
  session: OpenSession,
  call: SpawnCall,
  delegate: Delegate,
  run: (child: Session, args: Json) => Promise<string>,
): Promise<string> {
  const place = placeOf(session, call);
  // Made again without a durable run, it would be another sub-agent.
  const waits = canWait(session, call) && session.root.durable;
  session.waiting.delete(place.id);
  const args = await frozenArgs(session, call, place);
  const begun = await begin(session, place, call.tool, args);
  if (begun.result !== undefined) return begun.result;
  const { engine } = session.deployment;
  const end = (outcome: "done" | "failed", content: ReturnType<typeof kept>[]): Promise<FinishResult> =>
    engine.finish({
      action: place.id,
      attempt: begun.attempt,
      outcome,
      code: outcome === "done" ? "ok" : "tool_failed",
      content,
      ...(content[0] && { result: content[0].id }),
    });
  let child: OpenSession | undefined;
  try {
    const request = typeof delegate === "function" ? delegate(args.value) : delegate;
    const opened = await session.spawn(request, {
      id: place.id,
      model: session.turn(place.turn)?.model,
      signal: call.signal,
      waits,
      defers: canDefer(session, call),
    });
    child = opened;
    const answer = await opened.run(() => run(opened.facade, args.value));
    const below = waitingBelow(opened);
    if (below) throw below;
    const { finished } = await end("done", [
      kept(session, place.id, "result", canonical(answer), session.expires),
    ]);
    if (finished === "late") throw ended(toolLabel(call.tool, session.tools), "unknown");
    return answer;
  } catch (error) {
    // What went wrong is what is told, also where the store cannot be told of it.
    await end("failed", []).catch(() => {});
    if (child?.stopped(session.deployment.clock()) === "revoked" && !session.signal.aborted)
      throw denied("revoked", `${toolLabel(call.tool, session.tools)}: the sub-agent was revoked.`);
    const below = child && waitingBelow(child, error);
    if (below) session.waiting.set(place.id, below.waiting!);
    if (below) throw below;
    if (!BehestError.isInstance(error) || !UNDERIVED.has(error.code) || error.name !== "BehestDenied")
      throw error;
    const { code, message } = error;
    await refuseFor(session, call, place, { check: "derive", code, message });
    throw error;
  }
}

/** The error of one of its actions that waits for persons. `threw`: what the sub-agent threw. */
function waitingBelow({ signal, waiting }: OpenSession, threw?: unknown): BehestError | undefined {
  const [below] = signal.aborted ? [] : waiting.values();
  if (!below) return undefined;
  if (BehestError.isInstance(threw) && threw.waiting === below) return threw;
  return waitsFor(below, `${below.tool}: the sub-agent waits until a person approves it.`, threw);
}

async function frozenArgs(session: OpenSession, call: CallName, place: Place): Promise<Arguments> {
  try {
    return freeze(call.args);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw await refuseFor(session, call, place, notJson(toolLabel(call.tool, session.tools)));
  }
}

async function begin(
  session: OpenSession,
  place: Place,
  tool: string,
  args: Arguments,
): Promise<{ attempt: number; result?: string }> {
  for (let attempt = 1; ;) {
    const request = {
      action: place.id,
      principal: session.vault.principal,
      args: session.vault.name("args", tool, args.text),
      attempt,
      // Without a durable run its child has no journal, and would do everything again.
      repeatable: session.root.durable,
      expires: session.expires,
      ...session.deployment.revocations.judged,
    };
    const begun = await session.written(session.deployment.engine.begin(request));
    switch (begun.begun) {
      case "started":
        return { attempt };
      case "retry":
        attempt = begun.attempt;
        continue;
      case "ended":
        if (!begun.result) throw ended(toolLabel(tool, session.tools), begun.outcome);
        return {
          attempt,
          result: JSON.parse(session.vault.open(place.id, "result", begun.result)) as string,
        };
      case "running":
        throw denied(
          "action_running",
          `${toolLabel(tool, session.tools)}: this very sub-agent is running elsewhere.`,
        );
      case "refused":
        if (begun.code === "cuts_unseen") {
          await session.deployment.revocations.catchUp();
          const stopped = session.stopped(session.deployment.clock());
          if (stopped) throw denied(stopped, `${toolLabel(tool, session.tools)}: ${STOPPED[stopped]}`);
          continue;
        }
        throw denied(begun.code, `${toolLabel(tool, session.tools)}: it cannot be started (${begun.code}).`);
    }
  }
}
