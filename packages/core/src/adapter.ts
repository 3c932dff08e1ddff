import type { Json } from "@behest/jws";
import { ambient, noSession } from "./ambient.ts";
import type { Approval } from "./approval.ts";
import type { Session } from "./types.ts";
import { BehestError, type Code } from "./error.ts";
import type { Call, Execute } from "./call.ts";
import { perform } from "./perform.ts";
import { type CallName, refuse as refuseCall } from "./refuse.ts";
import { type OpenSession, aroundRun, liveOf } from "./session.ts";
import { type Delegate, type SpawnCall, spawn as spawnCall } from "./spawn.ts";
import { openAsked } from "./standing.ts";
import type { SeenTool } from "./store/types.ts";
import { profileOf } from "./profile.ts";
import type { TurnRecord } from "./interaction.ts";
import { type TurnHandle, type TurnRequest, openTurn as openTurnOf } from "./turn.ts";

export type { Codec } from "./codec.ts";
export type ToolCall<T> = Call<T>;
export type { CallName, Delegate, SpawnCall, TurnHandle, TurnRecord, TurnRequest };
export { aroundRun, noSession };

/** The ambient session, or undefined. */
export function ambientSession(): Session | undefined {
  return ambient.getStore()?.session.facade;
}

/**
 * authorize → begin (durable) → `execute` with the frozen arguments → finish. Resolves with the tool's
 * value, fresh or recorded. Rejects with the tool's own error, untouched; with the signal's reason where
 * it was stopped; or with a {@link BehestError} named `BehestDenied`, worded for the model.
 */
export async function callTool<T>(session: Session, call: ToolCall<T>, execute: Execute<T>): Promise<T> {
  const outcome = await perform(live(session), call, execute);
  if (outcome.outcome === "done") return outcome.value;
  throw outcome.error;
}

/** Records a refusal that no check made (an unknown or unguarded tool, say); resolves with the error to throw. */
export function refuse(session: Session, call: CallName, code: Code, message: string): Promise<BehestError> {
  return refuseCall(live(session), call, code, message);
}

/** What persons are shown of an action that they were asked about; undefined where this session's principal has none of this id. */
export async function waitingFor(
  session: Session,
  approval: string,
): Promise<Pick<Approval, "tool" | "args" | "why"> | undefined> {
  const { deployment, vault } = live(session);
  const row = await deployment.engine.approval(approval);
  if (!row || row.principal !== vault.principal) return undefined;
  const { tool, args, why } = openAsked(vault, row);
  return { tool, args, why };
}

/** Starts a sub-agent; see spawn.ts. A wider request rejects with `wider_than_parent` and is recorded. */
export function spawn(
  session: Session,
  call: SpawnCall,
  delegate: Delegate,
  run: (child: Session, args: Json) => Promise<string>,
): Promise<string> {
  return spawnCall(live(session), call, delegate, run);
}

/** Before each model call: replays a recorded turn, or records a fresh one. Rejects when the session is over. */
export function openTurn(session: Session, request: TurnRequest): Promise<TurnHandle> {
  return openTurnOf(live(session), request);
}

/**
 * A framework's own durable id (LangChain's `thread_id`), where `open` was given no `run`. The first one
 * stands: open one session per thread.
 */
export function adoptRun(session: Session, run: string): void {
  const { root } = live(session);
  if (root.durable) return;
  root.id = run;
  root.durable = true;
}

/** Whether the session's leaf names the tool: others are not offered to the model, unless denials are only tried out. */
export function isGranted(session: Session, tool: string): boolean {
  const { tools, deployment } = live(session);
  return deployment.enforce === "shadow" || Object.hasOwn(tools, tool);
}

/** Tells `behest coverage` how a tool was met. */
export function reportTools(
  session: Session,
  tools: readonly {
    readonly tool: string;
    readonly kind: SeenTool["kind"];
    readonly definition?: object | undefined;
  }[],
): void {
  const { engine, profiles, clock } = live(session).deployment;
  const at = clock();
  engine.seen(
    tools.map(({ tool, kind, definition }) => ({
      tool,
      kind,
      declared:
        profileOf(definition, Object.hasOwn(profiles, tool) ? profiles[tool] : undefined) !== undefined,
      at,
    })),
  );
}

/**
 * Keeps the current `session.run` open until released: for streams that outlive its function. Released as
 * `unfinished`, because it failed or only paused, the run keeps its model turns, to be taken up again.
 */
export function holdRun(): (unfinished?: boolean) => void {
  return ambient.getStore()?.stretch?.hold() ?? (() => {});
}

function live(session: Session): OpenSession {
  const found = liveOf(session);
  if (found) return found;
  throw new BehestError(
    "no_session",
    "no_session: this is not a session that createBehest().open() returned, or two copies of @behest/core are installed.",
  );
}
