import type { Json, PublicJwk, Signer } from "@behest/jws";
import { verifyChain } from "./token/chain.ts";
import { type Consent, readConsent } from "./token/consent.ts";
import type { AatTools } from "./constraints/constraint.ts";
import type { Delegation } from "./delegation.ts";
import { type Duration, seconds } from "./duration.ts";
import { GRANT_TYPE } from "./token/hop.ts";
import { type AgentIdentity, readIdentity } from "./agent/identity.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { boundKey, malformed, onlyMembers, optionalText, text, time } from "./request.ts";
import { RESTRICTIONS, type RestrictionRequest, readRequest } from "./restrictions/request.ts";
import type { StatusReference } from "./restrictions/status.ts";
import { isAbsoluteUri } from "./token/root.ts";
import { newSalt } from "./token/salt.ts";
import { signToken } from "./token/sign.ts";
import { readTools } from "./constraints/tools.ts";
import { uuidv7 } from "./token/uuid.ts";

export interface IssueClaims extends RestrictionRequest {
  /** Absolute URI; what verifiers know the issuer by. */
  readonly issuer: string;
  /** The key the delegation is bound to. */
  readonly holder: PublicJwk;
  /** Opaque subject, never a personal datum that must not be copied around. */
  readonly principal: string;
  /** Which of the issuer's tenants the principal belongs to. */
  readonly tenant?: string;
  /** What the principal asked for, in a few words or as an id. */
  readonly task: string;
  /** What the agent is called: for display, never authority. */
  readonly agent?: string;
  /** Which agent it is meant for; whoever enforces finds what differs. */
  readonly identity?: AgentIdentity;
  /** How the principal consented. Default: rung `local`. */
  readonly consent?: Consent;
  readonly tools: AatTools;
  /** At most 90 days. */
  readonly expiresIn: Duration;
  /** How often it may be handed on, 0 to 8. Default 3: a sub-agent's sub-agent, and one more. */
  readonly maxDepth?: number;
  /** Who may accept it; every verifier when absent. */
  readonly audience?: string | readonly string[];
  /** Where the issuer says whether it still holds. */
  readonly status?: StatusReference;
  /** Default: a new UUIDv7. */
  readonly jti?: string;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

const MEMBERS = [
  "issuer",
  "holder",
  "principal",
  "tenant",
  "task",
  "agent",
  "identity",
  "consent",
  "tools",
  "expiresIn",
  "maxDepth",
  "audience",
  "jti",
  "now",
  "status",
  ...RESTRICTIONS,
];

/**
 * Signs a root delegation. Throws `malformed_request`, `malformed_grant`, and whatever verification would refuse.
 */
export async function issueDelegation(claims: IssueClaims, issuer: Signer): Promise<Delegation> {
  onlyMembers(claims, MEMBERS);
  const { maxDepth = 3 } = claims;
  const now = time(claims.now);
  if (!isAbsoluteUri(text(claims.issuer, "issuer"))) malformed("issuer", "expected an absolute URI");
  if (!Number.isInteger(maxDepth) || maxDepth < 0 || maxDepth > DEFAULT_LIMITS.maxDelegationDepth)
    malformed("maxDepth", `expected an integer of 0 to ${DEFAULT_LIMITS.maxDelegationDepth}`);
  const lifetime = seconds(claims.expiresIn);
  if (lifetime > DEFAULT_LIMITS.maxTokenLifetime) malformed("expiresIn", "expected at most 90 days");
  const audience = claims.audience === undefined ? undefined : [claims.audience].flat();
  audience?.forEach((name) => text(name, "audience"));
  const agent = optionalText(claims.agent, "agent");
  const tenant = optionalText(claims.tenant, "tenant");
  const payload = {
    jti: claims.jti === undefined ? uuidv7() : text(claims.jti, "jti"),
    salt: newSalt(),
    iss: claims.issuer,
    sub: text(claims.principal, "principal"),
    ...(tenant !== undefined && { tenant }),
    task: text(claims.task, "task"),
    ...(agent !== undefined && { agent }),
    ...(claims.identity !== undefined && { agent_identity: readIdentity(claims.identity) }),
    ...(claims.consent !== undefined && { consent: readConsent(claims.consent) }),
    iat: now,
    exp: now + lifetime,
    cnf: { jwk: boundKey(claims.holder) },
    del_depth: 0,
    del_max_depth: maxDepth,
    authorization_details: [{ type: GRANT_TYPE, tools: readTools(claims.tools, DEFAULT_LIMITS) as Json }],
    ...(audience && { aud: audience.length === 1 ? audience[0]! : audience }),
  };
  const restrictions = readRequest(claims, claims.status);
  const token = await signToken(payload, restrictions, issuer);
  await verifyChain([token], "known", { now, limits: DEFAULT_LIMITS });
  return { chain: [token] };
}
