import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/** The chain was verified when the session was opened; here: it has not run out, and the session has not been ended. */
export function lineage({ session, now }: Wanted): Finding {
  const code = session.stopped(now);
  if (code === undefined && session.observed)
    return { check: "lineage", code: "ok", rule: "observed", message: "nobody has delegated anything" };
  if (code === undefined)
    return { check: "lineage", code: "ok", rule: session.leaf.jti, message: "the chain stands" };
  const message = code === "delegation_expired" ? "the delegation has expired." : "the session has ended.";
  return { check: "lineage", code, message };
}
