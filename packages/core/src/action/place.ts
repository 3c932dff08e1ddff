import { type EnclosingCall, ambient } from "../session/ambient.ts";
import type { LiveSession } from "../session/live.ts";

/**
 * Where an action stands in its run: H(run, spawn path, turn, call id, nested ordinal), keyed. Calls made
 * inside another guarded body, with that body's call id or none, are told apart by their order in it.
 */
export interface Place {
  readonly id: string;
  readonly turn: string;
  readonly callId: string;
  readonly ordinal: string;
}

export function placeOf(
  session: LiveSession,
  call: { callId?: string | undefined; turn?: string | undefined },
): Place {
  const enclosing = enclosingCall(session, call.callId);
  const turn = call.turn ?? enclosing?.turn ?? "";
  const callId = call.callId ?? enclosing?.callId ?? `#${session.nextOrdinal()}`;
  const ordinal = enclosing ? `${enclosing.ordinal}/${enclosing.nested++}` : "";
  return { id: session.actionId(turn, callId, ordinal), turn, callId, ordinal };
}

function enclosingCall(session: LiveSession, callId: string | undefined): EnclosingCall | undefined {
  const frame = ambient.getStore();
  if (!frame?.call || frame.session !== session) return undefined;
  return callId === undefined || callId === frame.call.callId ? frame.call : undefined;
}
