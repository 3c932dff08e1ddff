import { type AgentIdentity, DelegationError, type HopClaims, verifyAttestation } from "@behest/delegation";
import { rolesAt } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";

/** Which agent a process says it runs. */
export interface RunningIdentity {
  readonly identity: AgentIdentity;
  /** By its deployer's key; otherwise by its own word. */
  readonly attested: boolean;
  /** ms since the epoch; from then on it says nothing. */
  readonly until: number;
}

/**
 * What `open` was told about the process that holds the leaf's key, at a log index. A deployer that the trust
 * manifest lists, at any index, speaks for itself: naming one takes its attestation. Throws `identity_invalid`.
 */
export async function runningIdentity(
  { manifest, clock }: Deployment,
  told: AgentIdentity | string | undefined,
  leaf: HopClaims,
  index: number,
): Promise<RunningIdentity | undefined> {
  const { deployers = [] } = manifest;
  if (told === undefined) return undefined;
  if (typeof told !== "string") {
    const identity = Object.freeze({ ...told });
    if (deployers.some(({ deployer }) => deployer === identity.deployer))
      throw new BehestError(
        "identity_invalid",
        "identity_invalid: the trust manifest lists this deployer: pass what it attested, not its name.",
      );
    return { identity, attested: false, until: Number.POSITIVE_INFINITY };
  }
  const now = Math.floor(clock() / 1000);
  const options = { deployers: rolesAt(deployers, index), holder: leaf.jwk, now };
  try {
    const { identity, exp } = await verifyAttestation(told, options);
    return { identity, attested: true, until: exp * 1000 };
  } catch (cause) {
    if (!DelegationError.isInstance(cause)) throw cause;
    throw new BehestError("identity_invalid", `identity_invalid: ${cause.code}: ${cause.message}.`, {
      cause,
    });
  }
}
