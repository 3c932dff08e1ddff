import type { Anchor } from "./keys/anchor.ts";
import { type ChainCache, cachedChain } from "./cache.ts";
import type { VerifiedChain } from "./token/chain.ts";
import type { Consent } from "./token/consent.ts";
import type { AatTools } from "./constraints/constraint.ts";
import { type DelegationLike, parseDelegation } from "./delegation.ts";
import { DelegationError } from "./error.ts";
import { deepFreeze } from "./freeze.ts";
import type { Clock, HopClaims } from "./token/hop.ts";
import { DEFAULT_LIMITS, type VerificationLimits } from "./limits.ts";
import type { Restrictions } from "./restrictions/restrictions.ts";
import type { StatusReference } from "./restrictions/status.ts";
import { refuse } from "./token/token.ts";

export interface VerifyOptions {
  /** Whose roots are accepted. */
  readonly issuers: readonly Anchor[];
  /** The verifier's own identifier: every `aud` in the chain must name it. Without one, a chain with `aud` is refused. */
  readonly audience?: string;
  /** At least one token must carry `aud`. Default false. */
  readonly requireChainAudience?: boolean;
  /**
   * Whether what a chain's `status` refers to holds now; only `true` does, a rejection does not. Without it status
   * is not looked at: verification is offline. `statusChecker` of `@behest/delegation/status` makes one.
   */
  readonly status?: (reference: StatusReference, root: StatusRoot) => boolean | Promise<boolean>;
  /** Seconds since the epoch. Default: the clock. */
  readonly now?: number;
  readonly limits?: Partial<VerificationLimits>;
  /** From `chainCache()`. Default: every chain is verified anew. */
  readonly cache?: ChainCache;
}

/** Whose issuer keeps a status. */
export type StatusRoot = Pick<VerifiedDelegation, "issuer" | "principal" | "tenant">;

/** What a verified chain permits, and who stands behind it. Deeply frozen. */
export interface VerifiedDelegation {
  /** The root's `sub`; a root without one speaks for its issuer. */
  readonly principal: string;
  /** The root's: which of the issuer's tenants the principal belongs to. */
  readonly tenant?: string;
  /** How the principal consented, as the issuer states it. */
  readonly consent: Consent;
  readonly issuer: string;
  /** RFC 7638 thumbprint of the issuer's key that verified the root. */
  readonly issuerKey: string;
  /** The leaf's, with `{}` spelt out as `{"*": wildcard}`. */
  readonly tools: AatTools;
  /** What restricts the leaf beyond AAT, hence the whole chain: `limits` are counted at every hop that has them. */
  readonly restrictions: Restrictions | undefined;
  /** Tokens in the chain, at least 1. */
  readonly hops: number;
  /** Root first. */
  readonly claims: readonly HopClaims[];
  readonly leaf: HopClaims;
}

/**
 * Verifies a chain offline: steps 1 to 6a and 6c of section 8 of
 * draft-niyikiza-oauth-attenuating-agent-tokens-02, and that `sub` never changes. Throws `DelegationError`
 * with the step and the hop.
 */
export async function verifyDelegation(
  delegation: DelegationLike,
  options: VerifyOptions,
): Promise<VerifiedDelegation> {
  const clock = clockOf(options);
  const tokens = parseDelegation(delegation, clock.limits);
  const { chain, keep } = await cachedChain(options.cache, tokens, issuersOf(options), clock);
  keep();
  const verified = describe(chain);
  checkAudience(chain, options);
  await checkStatus(chain, options);
  return verified;
}

export function clockOf(options: {
  readonly now?: number;
  readonly limits?: Partial<VerificationLimits>;
}): Clock {
  return {
    now: options.now ?? Math.floor(Date.now() / 1000),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  };
}

export function issuersOf({ issuers }: VerifyOptions): readonly Anchor[] {
  if (!Array.isArray(issuers))
    throw new DelegationError("malformed_request", "issuers: name whose delegations you accept");
  return issuers;
}

/** Step 6a, and the result. */
export function describe({ hops, leaf, issuerKey }: VerifiedChain): VerifiedDelegation {
  if (!leaf.tools) refuse("tool_not_granted", "6a", hops.length - 1, "the leaf has no grant entry");
  const claims = hops.map((hop) => hop.claims);
  const { iss, sub, tenant, consent } = claims[0]!;
  return deepFreeze({
    principal: sub ?? iss,
    ...(tenant !== undefined && { tenant }),
    consent: consent ?? { rung: "local" },
    issuer: iss,
    issuerKey,
    tools: leaf.tools,
    restrictions: leaf.claims.restrictions,
    hops: hops.length,
    claims,
    leaf: leaf.claims,
  });
}

/** Step 6c: whoever wrote `aud` anywhere in the chain meant this verifier too. */
export function checkAudience({ hops }: VerifiedChain, options: VerifyOptions): void {
  let named = false;
  for (const [index, { audience }] of hops.entries()) {
    if (audience === undefined) continue;
    const names = Array.isArray(audience) ? audience : [audience];
    if (
      options.audience === undefined ||
      !names.every((name) => typeof name === "string") ||
      !names.includes(options.audience)
    )
      refuse("audience_refused", "6c", index, "aud does not name this verifier");
    named = true;
  }
  if (options.requireChainAudience && !named)
    throw new DelegationError("audience_refused", "6c: no token of the chain carries aud", { step: "6c" });
}

/** Ours: the leaf carries the reference of every ancestor that has one. */
export async function checkStatus({ hops, leaf }: VerifiedChain, { status }: VerifyOptions): Promise<void> {
  const reference = leaf.claims.restrictions?.status;
  if (!reference || !status) return;
  const { iss: issuer, sub: principal = issuer, tenant } = hops[0]!.claims;
  const valid = await Promise.resolve(reference)
    .then((found) => status(found, { issuer, principal, ...(tenant !== undefined && { tenant }) }))
    .catch(() => false);
  if (valid !== true)
    throw new DelegationError("revoked", "bhst: the status list does not say that it is valid", {
      step: "bhst",
    });
}
