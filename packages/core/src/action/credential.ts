import { type Unstarted, stopped } from "./body.ts";
import type { Credentials } from "../deployment.ts";
import { denied } from "../error.ts";
import { toolLabel } from "./label.ts";
import type { AmbientSession } from "../session/ambient.ts";

/** What a body is started with. */
export interface Handed {
  readonly credential: { readonly name: string; readonly value: string } | undefined;
}

/** Characters of a credential's name, which stands in the log. */
const LONGEST = 256;

/**
 * Asks for the credential of an attempt that has begun. Without the one it is to have, or once the signal has come,
 * its body does not start; why there is none may say more than the model or the log should know.
 */
export function credentialFor(
  session: AmbientSession,
  credentials: Credentials,
  tool: string,
  signal: AbortSignal,
): Promise<Handed | Unstarted> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(stopped(signal));
    const onAbort = (): void => resolve(stopped(signal));
    signal.addEventListener("abort", onAbort, { once: true });
    void ask(session, credentials, tool)
      .catch(() => without(session, tool))
      .then(resolve)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}

async function ask(session: AmbientSession, credentials: Credentials, tool: string): Promise<Handed> {
  const answer = await credentials(tool, session.facade);
  if (answer === undefined) return { credential: undefined };
  const { name, value } = answer;
  // Once the body has run its outcome must be recorded, so the name has to be one that an entry can carry.
  if (typeof name !== "string" || name === "" || name.length > LONGEST || !name.isWellFormed())
    throw new TypeError("a credential's name is 1 to 256 characters");
  if (typeof value !== "string") throw new TypeError("a credential is text");
  return { credential: { name, value } };
}

function without(session: AmbientSession, tool: string): Unstarted {
  const message = `${toolLabel(tool, session.tools)}: no credential could be had for it.`;
  return { outcome: "failed", error: denied("credential_failed", message), unstarted: true };
}
