import type { HopClaims } from "@behest/delegation";
import { randomBytes, toBase64url } from "@behest/jws";
import { type Vault, vaultOf } from "../record/content.ts";
import { type Deployment, background, refuseOver } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { newRun } from "./live.ts";
import { OpenSession } from "./session.ts";
import { standIn } from "./stand-in.ts";
import { newPrincipal } from "../store/principals.ts";
import type { Behest, ObserveOptions, Session } from "../types.ts";

/** Somebody as this process has named them. */
interface Named {
  readonly vault: Vault;
  readonly hop: HopClaims;
  readonly registered: Promise<void>;
}

/**
 * Opens sessions that no delegation stands behind. Their principals have an issuer of their own, drawn at start: what
 * this process says of somebody is never taken for what an issuer or another process has said, and nothing that was
 * recorded here is found by, or goes on in, a session that is opened under a delegation.
 */
export function observer(deployment: Deployment): Behest["observe"] {
  const issuer = `observed:${toBase64url(randomBytes(16))}`;
  const named = new Map<string, Named>();
  let warned = false;

  const name = (principal: string): Named => {
    const known = named.get(principal);
    if (known && !deployment.erased.has(known.vault.principal)) return known;
    const row = newPrincipal();
    const registered = deployment.engine.register({ issuer, subject: principal, ...row });
    background(deployment, registered);
    // Who comes next tries again.
    registered.catch(() => named.delete(principal));
    const vault = vaultOf(row.pseudonym, row.key, (error) => deployment.alerts.note(error));
    const made = { vault, hop: standIn(deployment, issuer, principal), registered };
    named.set(principal, made);
    return made;
  };

  return ({ principal = "observed", agent = "agent", run, signal }: ObserveOptions = {}): Session => {
    if (deployment.enforce !== "shadow")
      throw new BehestError(
        "shadow_only",
        'shadow_only: observe() is for createBehest({ enforce: "shadow" }). Here, open a delegation.',
      );
    refuseOver(deployment);
    if (typeof principal !== "string" || principal === "" || !principal.isWellFormed())
      throw new BehestError("config_invalid", "config_invalid: observe({ principal }) is a text.");
    if (!warned)
      process.emitWarning(
        "observe(): NO DELEGATION stands behind what is done in these sessions. Sign one (behest delegate) and open it.",
        { code: "BEHEST_OBSERVE" },
      );
    warned = true;
    const { vault, hop, registered } = name(principal);
    return new OpenSession({
      deployment,
      vault,
      principal,
      agent,
      delegated: undefined,
      hops: [hop],
      tools: {},
      registered,
      root: newRun(run),
      path: "",
      signal,
      defers: false,
      identity: undefined,
      strayed: [],
    }).facade;
  };
}
