import { THUMBPRINT_URI } from "../token/token.ts";
import type { VerifiedDelegation } from "../verify.ts";

/** An actor, and inside it whoever acted before (RFC 8693, 4.1). */
export interface Actor {
  /** What its parent calls the agent, else the thumbprint URI (RFC 9278) of its key. */
  readonly sub: string;
  /** Who calls it so; absent beside a thumbprint. */
  readonly iss?: string;
  readonly act?: Actor;
}

/** Claims of a JWT about the principal, for services that read no chains. */
export interface ActClaims {
  readonly sub: string;
  readonly iss: string;
  /** The leaf's agent outermost, the root's innermost. */
  readonly act: Actor;
}

/**
 * A verified chain as the nested `act` claim of RFC 8693: who acts, for whom, by way of whom. For display
 * only: names are the parents' choice, the result is unsigned, and nobody may be let in because of it.
 */
export function toActClaim({ principal, issuer, claims }: VerifiedDelegation): ActClaims {
  let act: Actor | undefined;
  for (const { agent, iss, holder } of claims) {
    // A parent may call its agent anything, but not by somebody's key.
    const named = agent !== undefined && !agent.toLowerCase().startsWith(THUMBPRINT_URI);
    const actor = named ? { sub: agent, iss } : { sub: THUMBPRINT_URI + holder };
    act = { ...actor, ...(act && { act }) };
  }
  return { sub: principal, iss: issuer, act: act! };
}
