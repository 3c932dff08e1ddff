import { type Manifest, issuersOf } from "@behest/provenance";
import type { Deployment } from "./deployment.ts";
import type { Enrolment } from "./enrolment.ts";
import { BehestError } from "./error.ts";
import { refuseUnlisted } from "./policy/policed.ts";
import { LiveSession } from "./session/live.ts";
import { lengthOf } from "./store/head.ts";
import type { Trust } from "./trust.ts";

/**
 * Takes up the next version of the trust manifest in mid-run. What is asked of it from now on is asked of that version;
 * sessions whose issuer it no longer lets speak for them, or whose agent's key has another role in it, end, and so do all
 * where it no longer trusts this process's enforcer or does not list its policies. `changed`: the version is another.
 */
export async function takeUp(
  { enrolment, deployment }: { readonly enrolment: Enrolment; readonly deployment: Deployment },
  manifest: Trust["manifest"],
  changed: () => void,
): Promise<void> {
  const { revocations, engine } = deployment;
  try {
    const suits = (next: Manifest): void => refuseUnlisted(deployment, next);
    const taken = async (): Promise<void> => {
      changed();
      endUntrusted(deployment, await lengthOf(engine).catch(() => undefined));
    };
    if (!(await enrolment.take(manifest, suits, taken))) return;
  } catch (error) {
    if (enrolment.until === 0)
      revocations.end(() => true, over("its enforcer, or the policies it runs, are no longer trusted"));
    throw error;
  }
  // Of a revoker whom only this version names.
  await revocations.retake();
}

/** `size`: of the log; undefined where the store does not say: then only a role without an end holds. */
function endUntrusted({ revocations, manifest }: Deployment, size: number | undefined): void {
  const issuers = issuersOf(manifest, size);
  revocations.end(
    (session) => session instanceof LiveSession && !session.isSpokenFor(issuers),
    over("its issuer is no longer trusted to speak for it"),
  );
  revocations.end(
    (session) => session instanceof LiveSession && !isApart(session),
    over("its agent's key has another role now"),
  );
}

function isApart({ deployment, parts: { delegated } }: LiveSession): boolean {
  try {
    if (delegated) deployment.apart("holder", delegated.holder.jwk);
    return true;
  } catch {
    return false;
  }
}

function over(why: string): BehestError {
  return new BehestError("session_ended", `session_ended: ${why}.`);
}
