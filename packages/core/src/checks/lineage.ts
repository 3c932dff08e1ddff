import type { LiveSession } from "../session/live.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/** The chain was verified when the session was opened; here: it has not run out, and the session has not been ended. */
export function lineage({ session, now }: Wanted): Finding {
  const code = session.stopped(now);
  if (code === undefined && session.observed)
    return { check: "lineage", code: "ok", rule: "observed", message: "nobody has delegated anything" };
  if (code === undefined)
    return { check: "lineage", code: "ok", rule: session.leaf.jti, message: "the chain stands" };
  return { check: "lineage", code, message: STOPPED[code] };
}

/** Why nothing goes on in a session. */
export type Stopped = NonNullable<ReturnType<LiveSession["stopped"]>>;

/** As the model is told. */
export const STOPPED: { readonly [code in Stopped]: string } = {
  delegation_expired: "the delegation has expired.",
  session_ended: "the session has ended.",
  principal_erased: "what was kept of its principal was erased.",
  revoked: "what it acts under was revoked.",
  revocation_stale: "whether it was revoked cannot be told now.",
};
