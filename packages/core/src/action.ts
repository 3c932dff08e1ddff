import { type Json, canonicalPresent } from "@behest/jws";
import { type EnclosingCall, ambient } from "./ambient.ts";
import type { LiveSession } from "./live.ts";
import type { Finding } from "./types.ts";

/** Arguments as they will be decided on, committed to and run: one value, parsed from its canonical text, frozen through and through. */
export interface Arguments {
  readonly value: Json;
  readonly text: string;
}

/** Throws FormatError `not_json` or `too_deep`. A member that is `undefined` is absent, as in JSON. */
export function freeze(args: unknown): Arguments {
  const text = canonicalPresent(args);
  return { value: deepFreeze(JSON.parse(text) as Json), text };
}

function deepFreeze(value: Json): Json {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member as Json);
    Object.freeze(value);
  }
  return value;
}

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

/** What is found of arguments that {@link freeze} refuses. */
export function notJson(tool: string): Finding {
  const message = `${tool}: its parsed arguments are not JSON, so what runs could not be what was decided on.`;
  return { check: "arguments", code: "args_not_json", message };
}
