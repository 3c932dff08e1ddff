import { type DelegationLike, type VerifiedDelegation, verifyDelegation } from "@behest/delegation";
import { CodedError } from "@behest/jws";
import { type Manifest, anchorsOf, issuersOf, speaksFor } from "@behest/provenance";

export interface Moment {
  /** Log index; default: from now on. */
  readonly index?: number;
  /** Seconds since the epoch; default: the clock. */
  readonly now?: number;
  /** Issuers whose keys are at a URL are left out: nothing is fetched. */
  readonly offline?: boolean;
}

/** The one refusal of our own. */
class IssuerError extends CodedError<"issuer_not_allowed"> {}

/**
 * Verifies a chain under the issuers that a manifest trusts, each for its own tenants and subjects. Throws what
 * `verifyDelegation` throws, and `issuer_not_allowed`.
 */
export async function verifyUnder(
  manifest: Manifest,
  delegation: DelegationLike,
  { index, now, offline = false }: Moment = {},
): Promise<VerifiedDelegation> {
  const issuers = issuersOf(manifest, index).filter(({ jwks }) => !(offline && jwks !== undefined));
  const verified = await verifyDelegation(delegation, {
    issuers: anchorsOf(issuers),
    audience: manifest.origin,
    ...(now !== undefined && { now }),
  });
  const { issuer, issuerKey, principal, tenant, consent } = verified;
  const said = { subject: principal, tenant, rung: consent.rung };
  if (!speaksFor(issuers, { iss: issuer, key: issuerKey }, said))
    throw new IssuerError(
      "issuer_not_allowed",
      "the trust manifest does not let this issuer speak for this principal or tenant, or of such consent.",
    );
  return verified;
}
