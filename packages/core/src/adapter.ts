import type { Json } from "@behest/jws";
import { needsOf } from "./checks/approval.ts";
import { ambient, noSession } from "./session/ambient.ts";
import type { Approval } from "./approval/approval.ts";
import type { Deployment } from "./deployment.ts";
import type { Session } from "./types.ts";
import { BehestError, type Code, type Waiting } from "./error.ts";
import type { Call, Execute } from "./action/call.ts";
import { performOrDefer } from "./deferred/deferred.ts";
import { type Delivery, deliveries as deliveriesOf, deliveryText } from "./deferred/delivery.ts";
import { type Come, comeOf as comeOfAction, pending as pendingCall } from "./approval/pending.ts";
import { type CallName, refuse as refuseCall } from "./action/refuse.ts";
import { type OpenSession, aroundRun, liveOf } from "./session/session.ts";
import { type Delegate, type SpawnCall, spawn as spawnCall } from "./session/spawn.ts";
import { openAsked } from "./approval/standing.ts";
import type { SeenTool } from "./store/types.ts";
import { profileOf } from "./profile/profile.ts";
import type { TurnRecord } from "./turn/interaction.ts";
import type { BodyOf, LaterBody } from "./deferred/take-up.ts";
import { type TurnHandle, type TurnRequest, openTurn as openTurnOf } from "./turn/turn.ts";

export type { Codec } from "./action/codec.ts";
export type ToolCall<T> = Call<T>;
export type { BodyOf, Delivery, LaterBody, Waiting };
export { deliveryText };
export type { CallName, Delegate, SpawnCall, TurnHandle, TurnRecord, TurnRequest };
export { aroundRun, noSession };

/** The ambient session, or undefined. */
export function ambientSession(): Session | undefined {
  return ambient.getStore()?.session.facade;
}

/**
 * authorize → begin (durable) → `execute` with the frozen arguments → finish. Resolves with the tool's
 * value, fresh or recorded. Rejects with the tool's own error, untouched; with the signal's reason where
 * it was stopped; or with a {@link BehestError} worded for the model: named `BehestDenied`, or `BehestDeferred` where the
 * call is made later, when persons have decided.
 */
export async function callTool<T>(session: Session, call: ToolCall<T>, execute: Execute<T>): Promise<T> {
  const outcome = await performOrDefer(live(session), call, execute);
  if (outcome.outcome === "done") return outcome.value;
  throw outcome.error;
}

/**
 * Whether persons still have to approve this very call: what {@link callTool} would reject with, before
 * anything is started; undefined where it may be tried. See approval/pending.ts.
 */
export function pending(session: Session, call: ToolCall<unknown>): Promise<BehestError | undefined> {
  return pendingCall(live(session), call);
}

/** What has come of asking persons for an action, `spent` once it has started; undefined where nobody was asked. */
export function comeOf(session: Session, action: string): Promise<Come | undefined> {
  return comeOfAction(live(session), action);
}

/** Whether persons may have to approve actions of this tool. */
export function mayAsk(session: Session, tool: string): boolean {
  const found = live(session);
  return policiesMayAsk(found.deployment, tool) || needsOf(found, tool).length > 0;
}

function policiesMayAsk({ policies, undeclared, profiles, declared }: Deployment, tool: string): boolean {
  if (!policies?.rules.some(({ ask }) => ask)) return false;
  return undeclared === "policies" || declared.has(tool) || Object.hasOwn(profiles, tool);
}

/** What waits for persons now, as this session has met it: here, and in the sub-agents that it has started. */
export function waitingIn(session: Session): readonly Waiting[] {
  const waiting = [...live(session).waiting.values()];
  return [...new Map(waiting.map((one) => [one.approval, one])).values()];
}

/** What has come of deferred calls and is to be told to the model; see deferred/delivery.ts. `bodyOf`: what makes the calls that an earlier process has left. */
export function deliveries(
  session: Session,
  bodyOf: BodyOf,
  texts: readonly string[],
): Promise<readonly Delivery[]> {
  return deliveriesOf(live(session), bodyOf, texts);
}

/** Whether a guarded body of this session's run is around: it cannot be left and entered again. */
export function isNested(session: Session): boolean {
  const around = ambient.getStore();
  return around?.call !== undefined && around.session.root === live(session).root;
}

/** The id of an action that a model turn has chosen. */
export function actionOf(session: Session, turn: string, callId: string): string {
  return live(session).actionId(turn, callId, "");
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

/** Starts a sub-agent; see session/spawn.ts. A wider request rejects with `wider_than_parent` and is recorded. */
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
  const { engine, profiles, declared: own, clock } = live(session).deployment;
  const at = clock();
  engine.seen(
    tools.map(({ tool, kind, definition }) => {
      const named = Object.hasOwn(profiles, tool) ? profiles[tool] : undefined;
      const declared = profileOf(definition, named) !== undefined;
      if (declared) own.add(tool);
      return { tool, kind, declared, at };
    }),
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
