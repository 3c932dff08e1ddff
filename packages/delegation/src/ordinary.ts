import type { Json } from "@behest/jws";
import { DelegationError } from "./error.ts";
import { type Claims, isText } from "./token.ts";

/** What a token says beside the draft's claims. Plain verifiers ignore it, so none of it may restrict. */
export interface OrdinaryClaims {
  /** The principal's subject; a root of ours always has it. */
  readonly sub: string | undefined;
  /** Which of the issuer's tenants the principal belongs to. */
  readonly tenant: string | undefined;
  readonly task: string | undefined;
  /** What the parent calls this agent: for display and cuts, never authority. */
  readonly agent: string | undefined;
}

/** Rules of ours, without a step of the draft. Throws `malformed_delegation`. */
export function ordinaryClaims(claims: Claims, hop: number): OrdinaryClaims {
  const asserted = (name: "sub" | "tenant"): string | undefined => {
    const value = claims[name];
    if (value === undefined || isText(value)) return value;
    throw new DelegationError("malformed_delegation", `token ${hop}: ${name} is not a non-empty string`, {
      hop,
    });
  };
  return {
    sub: asserted("sub"),
    tenant: asserted("tenant"),
    task: shown(claims["task"]),
    agent: shown(claims["agent"]),
  };
}

/** A claim that is only shown: of another type it is as good as absent. */
function shown(value: Json | undefined): string | undefined {
  return isText(value) ? value : undefined;
}
