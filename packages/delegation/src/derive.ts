import { type Json, type PublicJwk, thumbprint } from "@behest/jws";
import { verifyChain } from "./token/chain.ts";
import { type Delegation, type DelegationLike, parseDelegation } from "./delegation.ts";
import { DelegationError } from "./error.ts";
import type { Holder } from "./keys/holder.ts";
import { GRANT_TYPE } from "./token/hop.ts";
import { type AgentIdentity, readIdentity } from "./agent/identity.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { boundKey, onlyMembers, optionalText, text, time } from "./request.ts";
import { RESTRICTIONS } from "./restrictions/request.ts";
import { newSalt } from "./token/salt.ts";
import { signToken } from "./token/sign.ts";
import { type Terms, type TermsRequest, askedTerms, narrowedTerms } from "./terms.ts";
import { THUMBPRINT_URI } from "./token/token.ts";
import { uuidv7 } from "./token/uuid.ts";

export interface DeriveClaims extends TermsRequest {
  /** The key the child is bound to; within one process it may be the parent's own. */
  readonly holder: PublicJwk;
  /** Take what lies within the parent of a wider request, instead of refusing it. `explain` says what that is. */
  readonly narrow?: boolean;
  /** A refinement of the parent's task. */
  readonly task?: string;
  /** What the parent calls the new agent. */
  readonly agent?: string;
  /** Which agent it is meant for; the parent's own identity is not handed on. */
  readonly identity?: AgentIdentity;
  /** Default: a new UUIDv7. */
  readonly jti?: string;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
}

const MEMBERS = [
  "holder",
  "tools",
  "narrow",
  "task",
  "agent",
  "identity",
  "expiresIn",
  "maxDepth",
  "jti",
  "now",
  ...RESTRICTIONS,
];

/**
 * Signs a child that is equal to or narrower than its parent. A narrower constraint that the draft's table
 * does not accept as it stands is written in the form that it does, permitting exactly the same values; where
 * there is no such form, it is refused like a wider one. Throws `wider_than_parent` with every place in
 * `wider`, `depth_exceeded`, `holder_mismatch`, `malformed_request`, `malformed_grant`, and whatever
 * verification would refuse of the parent; its issuer is not judged here.
 */
export async function deriveDelegation(
  parent: DelegationLike,
  claims: DeriveClaims,
  parentHolder: Holder,
): Promise<Delegation> {
  onlyMembers(claims, MEMBERS);
  const clock = { now: time(claims.now), limits: DEFAULT_LIMITS };
  const chain = parseDelegation(parent);
  const { leaf } = await verifyChain(chain, "unjudged", clock);
  const held = leaf.claims;
  if (thumbprint(parentHolder.jwk) !== held.holder)
    throw new DelegationError("holder_mismatch", "parentHolder: the parent is bound to another key");
  const { tools, restrictions, iat, exp, maxDepth } = claims.narrow
    ? narrowedTerms(leaf, claims, clock.now)
    : withinParent(askedTerms(leaf, claims, clock.now));
  const task = optionalText(claims.task, "task");
  const agent = optionalText(claims.agent, "agent");
  const payload = {
    jti: claims.jti === undefined ? uuidv7() : text(claims.jti, "jti"),
    salt: newSalt(),
    iss: THUMBPRINT_URI + held.holder,
    ...(task !== undefined && { task }),
    ...(agent !== undefined && { agent }),
    ...(claims.identity !== undefined && { agent_identity: readIdentity(claims.identity) }),
    iat,
    exp,
    cnf: { jwk: boundKey(claims.holder) },
    del_depth: held.depth + 1,
    del_max_depth: maxDepth,
    par_hash: held.hash,
    authorization_details: [{ type: GRANT_TYPE, tools: tools as Json }],
  };
  const token = await signToken(payload, restrictions, parentHolder);
  const derived = [...chain, token];
  await verifyChain(derived, "known", clock);
  return { chain: derived };
}

function withinParent({ terms, wider }: ReturnType<typeof askedTerms>): Terms {
  if (wider.length === 0) return terms;
  const places = wider.map((place) => `${place.path} (parent: ${place.parent}, child: ${place.child})`);
  throw new DelegationError("wider_than_parent", `${places.join("; ")}. Ask for less.`, { wider });
}
