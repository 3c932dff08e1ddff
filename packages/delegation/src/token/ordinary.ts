import type { Json } from "@behest/jws";
import { type Consent, parseConsent } from "./consent.ts";
import { DelegationError } from "../error.ts";
import { type AgentIdentity, parseIdentity } from "../agent/identity.ts";
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
  /** Which agent this token is meant for. What differs at run time is a finding of whoever enforces. */
  readonly identity: AgentIdentity | undefined;
  /** Of the root; nobody on the way can add to it. */
  readonly consent: Consent | undefined;
}

/** Rules of ours, without a step of the draft. Throws `malformed_delegation`. */
export function ordinaryClaims(claims: Claims, hop: number): OrdinaryClaims {
  const { sub, tenant, agent_identity: bound } = claims;
  if (sub !== undefined && !isText(sub)) malformed("sub is not a non-empty string", hop);
  if (tenant !== undefined && !isText(tenant)) malformed("tenant is not a non-empty string", hop);
  // These two are compared with something: ignored, what they say would vanish unseen.
  const identity = parseIdentity(bound);
  if (bound !== undefined && !identity) malformed("agent_identity is not a closed set of names", hop);
  const consent = hop === 0 ? parseConsent(claims["consent"]) : undefined;
  if (hop === 0 && !consent) malformed("consent is not a rung and its evidence", hop);
  return { sub, tenant, task: shown(claims["task"]), agent: shown(claims["agent"]), identity, consent };
}

function malformed(what: string, hop: number): never {
  throw new DelegationError("malformed_delegation", `token ${hop}: ${what}`, { hop });
}

/** A claim that is only shown: of another type it is as good as absent. */
function shown(value: Json | undefined): string | undefined {
  return isText(value) ? value : undefined;
}
