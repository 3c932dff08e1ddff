import type { HopClaims } from "@behest/delegation";
import { type Json, canonical } from "@behest/jws";
import type { DelegationEntry } from "@behest/provenance";
import { childCharge } from "../budget/budget.ts";
import type { Vault } from "../record/content.ts";
import { erased } from "../store/erasure.ts";
import type { Append, DelegationRow } from "../store/types.ts";

/** How a delegation came about in this log. */
export interface Links {
  /** ms since the epoch. */
  readonly at: number;
  /** Root only: thumbprint of the issuer's key. */
  readonly issuer?: string;
  /** Hash of the parent's entry. */
  readonly parent?: string | undefined;
  /** Action id of the spawn. */
  readonly spawn?: string;
  /** Hash of the request that the spawn made. */
  readonly request?: string;
}

/**
 * The `delegation` entry of the chain's last hop, with the chain sealed beside it. It counts as a child of the hop
 * above: where that one may have no more, the append is refused with `fan_out_spent`.
 */
export function delegationAppend(
  vault: Vault,
  chain: readonly string[],
  hops: readonly HopClaims[],
  agent: string | undefined,
  links: Links,
): Append {
  const hop = hops.at(-1)!;
  const commitTo = (field: string, text: string | undefined): { [field: string]: string } =>
    text === undefined ? {} : { [field]: vault.commit(hop.hash, field, text) };
  const entry: DelegationEntry = {
    v: 1,
    type: "delegation",
    at: new Date(links.at).toISOString(),
    jti: hop.jti,
    leaf: hop.hash,
    principal: vault.principal,
    holder: hop.jwk.x,
    ...(links.issuer !== undefined && { issuer: links.issuer }),
    depth: hop.depth,
    exp: String(hop.exp),
    iat: String(hop.iat),
    ...(links.spawn !== undefined && { spawn: links.spawn }),
    content: {
      token: vault.commit(hop.hash, "token", chain.at(-1)!),
      ...commitTo("agent", agent),
      ...commitTo("task", hop.task),
    },
    links: { ...(links.parent !== undefined && { parent: links.parent }) },
  };
  const sealed = vault.seal(hop.hash, "chain", canonical({ chain, agent: agent ?? null } as Json));
  const delegation: DelegationRow = {
    leaf: hop.hash,
    jti: hop.jti,
    principal: vault.principal,
    sealed,
    ...(links.request !== undefined && { request: links.request }),
  };
  const charge = childCharge(vault, hops.slice(0, -1));
  const under = hops.at(-2)?.hash;
  return {
    entry: canonical(entry),
    delegation,
    ...(under !== undefined && { under }),
    ...(charge && { charge }),
  };
}

/** The chain as it was stored, and the name its agent was given. Throws where the row was altered; `principal_erased` where it is empty. */
export function openDelegation(
  vault: Vault,
  row: DelegationRow,
): { chain: readonly string[]; agent?: string } {
  if (row.sealed.length === 0) throw erased();
  const stored = JSON.parse(vault.open(row.leaf, "chain", row.sealed)) as {
    chain: string[];
    agent: string | null;
  };
  return { chain: stored.chain, ...(stored.agent !== null && { agent: stored.agent }) };
}
