import { verifyChain } from "./token/chain.ts";
import { type DelegationLike, parseDelegation } from "./delegation.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Explained } from "./constraints/meet-tools.ts";
import { onlyMembers, time } from "./request.ts";
import { RESTRICTIONS } from "./restrictions/request.ts";
import { type TermsRequest, explainTerms } from "./terms.ts";

const MEMBERS = ["tools", "expiresIn", "maxDepth", "now", ...RESTRICTIONS];

/**
 * What would become of each part of a request under a parent, and why: what `deriveDelegation` refuses, what is
 * left of it with `narrow: true`. Nothing is signed. Throws `malformed_request`, `malformed_grant`, and whatever
 * verification would refuse of the parent; its issuer is not judged here.
 */
export async function explain(
  parent: DelegationLike,
  request: TermsRequest & {
    /** Seconds since the epoch. Default: the clock. */
    readonly now?: number;
  },
): Promise<readonly Explained[]> {
  onlyMembers(request, MEMBERS);
  const clock = { now: time(request.now), limits: DEFAULT_LIMITS };
  const { leaf } = await verifyChain(parseDelegation(parent), "unjudged", clock);
  return explainTerms(leaf, request, clock.now);
}
