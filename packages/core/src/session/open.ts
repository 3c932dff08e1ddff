import {
  type Anchor,
  type DelegationLike,
  DelegationError,
  type Holder,
  type VerifiedDelegation,
  parseDelegation,
  verifyDelegation,
} from "@behest/delegation";
import { publicKey, randomBytes, thumbprint, verify as verifySignature } from "@behest/jws";
import { type Issuer, type Manifest, anchorsOf, issuersOf, rolesAt, speaksFor } from "@behest/provenance";
import { vaultOf } from "../record/content.ts";
import { type Deployment, refuseOver } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { erased } from "../store/erasure.ts";
import { lengthOf } from "../store/head.ts";
import { runningIdentity } from "./identity.ts";
import { delegationAppend } from "./lineage.ts";
import { STOPPED } from "../checks/lineage.ts";
import { Lineage } from "../revocation/keys.ts";
import { newRun } from "./live.ts";
import { refuseUnenforced } from "./restricted.ts";
import { OpenSession } from "./session.ts";
import type { OpenOptions } from "../types.ts";

/** Verifies a chain under the trusted issuers, records each hop once, and opens a session on its leaf. */
export async function openSession(
  deployment: Deployment,
  delegation: DelegationLike,
  options: OpenOptions,
): Promise<OpenSession> {
  const { engine, clock } = deployment;
  refuseOver(deployment);
  const judged = deployment.manifest;
  // Roles hold at log indexes: what is opened now is recorded at the end of the log as it stands.
  const index = await lengthOf(engine);
  const issuers = lastingIssuers(judged, index);
  const { chain, verified } = await verify(deployment, anchorsOf(issuers), delegation);
  const { issuer, issuerKey, principal, tenant, consent, claims, leaf } = verified;
  const by = { iss: issuer, key: issuerKey };
  const said = { subject: principal, tenant, rung: consent.rung };
  if (!speaksFor(issuers, by, said)) throw notAllowed();
  await deployment.revocations.refresh();
  const cut = deployment.revocations.state(
    new Lineage(claims, principal, options.agent === undefined ? [] : [options.agent]),
  );
  if (cut) throw new BehestError(cut, `${cut}: ${STOPPED[cut]}`);
  refuseUnenforced(verified.restrictions, deployment);
  const holder = await holds(deployment, options.holder ?? deployment.holder, leaf.holder);
  // The holder was shown to have its key: an attestation for that key is its own.
  const identity = await runningIdentity(deployment, options.identity, leaf, index);
  // Asks others: once everything else holds.
  const listed = await deployment.status?.(claims, principal);
  if (listed) throw new BehestError(listed, `${listed}: ${STOPPED[listed]}`);
  await refuseErased(deployment, claims);
  const { pseudonym, key } = await engine.principal(issuer, principal);
  const vault = vaultOf(pseudonym, key, (error) => deployment.alerts.note(error));
  return deployment.under(async () => {
    // Another version may have been taken up meanwhile: whoever is open when one is, is ended by that.
    if (judged !== deployment.manifest) {
      const now = lastingIssuers(deployment.manifest, await lengthOf(engine));
      if (!speaksFor(now, by, said)) throw notAllowed();
      deployment.apart("holder", holder.jwk);
    }
    let parent: string | undefined;
    for (const [i, hop] of claims.entries()) {
      const named = hop === leaf ? (options.agent ?? hop.agent) : hop.agent;
      const links = { at: clock(), parent, ...(i === 0 && { issuer: verified.issuerKey }) };
      const upTo = [chain.slice(0, i + 1), claims.slice(0, i + 1)] as const;
      const placed = await engine.append(delegationAppend(vault, ...upTo, named, links)).catch(tooMany);
      parent = placed.hash;
    }
    return new OpenSession({
      deployment,
      vault,
      principal,
      agent: options.agent ?? leaf.agent ?? "agent",
      delegated: { chain, holder, entry: parent! },
      hops: claims,
      asserted: { by, said },
      tools: verified.tools,
      root: newRun(options.run),
      path: "",
      signal: options.signal,
      defers: options.waiting === "defer",
      identity,
      strayed: [],
    });
  });
}

/** Others may write until what is opened is recorded: at an index that a role with an end need not hold at. */
function lastingIssuers(manifest: Manifest, index: number): readonly Issuer[] {
  return rolesAt(issuersOf(manifest, index));
}

/** What the log has met before its principal was erased opens no more. Looked at first: nobody is named anew by trying. */
async function refuseErased(
  { engine }: Deployment,
  hops: readonly { readonly hash: string }[],
): Promise<void> {
  for (const { hash } of hops) {
    const stored = await engine.delegationOf(hash);
    if (stored && !(await engine.subject(stored.principal))) throw erased();
  }
}

function notAllowed(): BehestError {
  return new BehestError(
    "issuer_not_allowed",
    "issuer_not_allowed: the trust manifest does not let this issuer speak for this principal or tenant, or of such consent.",
  );
}

/** A chain through a child that its parent may not have. */
function tooMany(cause: unknown): never {
  if (!BehestError.isInstance(cause) || cause.code !== "fan_out_spent") throw cause;
  const message = "delegation_invalid: more delegations were derived from its parent than that one allows.";
  throw new BehestError("delegation_invalid", message, { cause });
}

/** The holder has the key that the leaf is bound to, whatever it says of itself, and no other role's. */
async function holds(deployment: Deployment, holder: Holder | undefined, bound: string): Promise<Holder> {
  if (!holder || thumbprint(holder.jwk) !== bound)
    throw new BehestError(
      "holder_mismatch",
      `holder_mismatch: the delegation is bound to another key than ${holder ? "this holder's" : "none: pass open(…, { holder })"}.`,
    );
  deployment.apart("holder", holder.jwk);
  const challenge = randomBytes(32);
  if (!(await verifySignature(publicKey(holder.jwk), challenge, await holder.sign(challenge))))
    throw new BehestError("holder_mismatch", "holder_mismatch: this holder does not sign with its key.");
  return holder;
}

async function verify(
  deployment: Deployment,
  issuers: readonly Anchor[],
  delegation: DelegationLike,
): Promise<{ chain: readonly string[]; verified: VerifiedDelegation }> {
  try {
    const chain = parseDelegation(delegation);
    const now = Math.floor(deployment.clock() / 1000);
    return {
      chain,
      verified: await verifyDelegation(chain, {
        issuers,
        audience: deployment.manifest.origin,
        now,
      }),
    };
  } catch (cause) {
    if (!DelegationError.isInstance(cause)) throw cause;
    const code = cause.code === "delegation_expired" ? cause.code : "delegation_invalid";
    const said = cause.code === code ? cause.message : `${cause.code}: ${cause.message}`;
    throw new BehestError(code, `${code}: ${said}${ADVICE[cause.code] ?? ""}`, { cause });
  }
}

/** What to do, where the reason alone does not say. */
const ADVICE: { readonly [code: string]: string } = {
  delegation_expired: '. Sign a new one, for example with "npx behest delegate"',
  issuer_untrusted:
    ". It was signed for another deployment, or before this one was made anew: delegate again",
};
