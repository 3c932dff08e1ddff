import {
  type DelegationLike,
  DelegationError,
  type VerifiedDelegation,
  parseDelegation,
  verifyDelegation,
} from "@behest/delegation";
import { issuersOf, speaksFor } from "@behest/provenance";
import { vaultOf } from "./content.ts";
import type { Deployment } from "./deployment.ts";
import { BehestError } from "./error.ts";
import { delegationAppend } from "./lineage.ts";
import { newRun } from "./live.ts";
import { OpenSession } from "./session.ts";
import type { OpenOptions } from "./types.ts";

/** Verifies a chain under the trusted issuers, records each hop once, and opens a session on its leaf. */
export async function openSession(
  deployment: Deployment,
  delegation: DelegationLike,
  options: OpenOptions,
): Promise<OpenSession> {
  if (deployment.closing.aborted)
    throw new BehestError("session_ended", "session_ended: this Behest is closed.");
  const { chain, verified } = await verify(deployment, delegation);
  const { issuer, principal, claims, leaf } = verified;
  mayAssert(deployment, verified);
  const holder = options.holder ?? deployment.holder;
  if (holder?.thumbprint !== leaf.holder)
    throw new BehestError(
      "holder_mismatch",
      `holder_mismatch: the delegation is bound to another key than ${holder ? "this holder's" : "none: pass open(…, { holder })"}.`,
    );

  const { engine, clock } = deployment;
  const { pseudonym, key } = await engine.principal(issuer, principal);
  const vault = vaultOf(pseudonym, key);
  let parent: string | undefined;
  for (const [i, hop] of claims.entries()) {
    const named = hop === leaf ? (options.agent ?? hop.agent) : hop.agent;
    const links = { at: clock(), parent, ...(i === 0 && { issuer: verified.issuerKey }) };
    const placed = await engine.append(delegationAppend(vault, chain.slice(0, i + 1), hop, named, links));
    parent = placed.hash;
  }
  return new OpenSession({
    deployment,
    vault,
    principal,
    agent: options.agent ?? leaf.agent ?? "agent",
    holder,
    chain,
    hops: claims,
    tools: verified.tools,
    entry: parent!,
    root: newRun(options.run),
    path: "",
    signal: options.signal,
  });
}

async function verify(
  deployment: Deployment,
  delegation: DelegationLike,
): Promise<{ chain: readonly string[]; verified: VerifiedDelegation }> {
  try {
    const chain = parseDelegation(delegation);
    const now = Math.floor(deployment.clock() / 1000);
    return {
      chain,
      verified: await verifyDelegation(chain, {
        issuers: deployment.anchors,
        audience: deployment.manifest.origin,
        now,
      }),
    };
  } catch (cause) {
    if (!DelegationError.isInstance(cause)) throw cause;
    const code = cause.code === "delegation_expired" ? cause.code : "delegation_invalid";
    throw new BehestError(code, `${code}: ${cause.code}: ${cause.message}`, { cause });
  }
}

/** An issuer speaks for the subjects that the trust manifest gives it, and no others. */
function mayAssert({ manifest }: Deployment, { issuer, principal }: VerifiedDelegation): void {
  if (!speaksFor(issuersOf(manifest), issuer, principal))
    throw new BehestError(
      "issuer_not_allowed",
      "issuer_not_allowed: the trust manifest does not let this issuer speak for this principal.",
    );
}
