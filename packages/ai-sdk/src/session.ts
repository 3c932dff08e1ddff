import { AsyncLocalStorage } from "node:async_hooks";
import type { Session } from "@behest/core";
import { ambientSession, noSession } from "@behest/core/adapter";

const enclosing: AsyncLocalStorage<string> = new AsyncLocalStorage();

/** Runs a tool's body: agents that it starts are told apart from others that are given the same prompt. */
export function insideCall<T>(turn: string | undefined, callId: string, body: () => T): T {
  return enclosing.run(`${turn ?? ""}/${callId}`, body);
}

export function enclosingCall(): string {
  return enclosing.getStore() ?? "";
}

/** The explicit session, else the ambient one; throws `no_session`. */
export function sessionFor(explicit: Session | undefined, what: string): Session {
  const session = explicit ?? ambientSession();
  if (session) return session;
  throw noSession(what);
}
