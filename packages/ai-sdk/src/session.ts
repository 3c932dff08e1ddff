import type { Session } from "@behest/core";
import { ambientSession, noSession } from "@behest/core/adapter";

/** The explicit session, else the ambient one; throws `no_session`. */
export function sessionFor(explicit: Session | undefined, what: string): Session {
  const session = explicit ?? ambientSession();
  if (session) return session;
  throw noSession(what);
}
