import { DelegationError, deriveDelegation, verifyDelegation } from "@behest/delegation";
import { canonical, sha256, toBase64url } from "@behest/jws";
import { BehestError, denied } from "./error.ts";
import type { LiveSession, SessionParts } from "./live.ts";
import { delegationAppend, openDelegation } from "./lineage.ts";
import type { DelegateRequest } from "./types.ts";

/**
 * The child that the spawn `id` makes of this session: derived once, stored, and reloaded ever after, so
 * that replaying a spawn yields the same token and the same counters. The child is bound to the same
 * holder: in one process another key would separate nothing.
 */
export async function deriveChild(
  parent: LiveSession,
  request: DelegateRequest,
  id: string,
): Promise<SessionParts> {
  const { deployment, vault, leaf } = parent;
  const { holder, chain } = parent.parts;
  const stopped = parent.stopped(deployment.clock());
  if (stopped) throw denied(stopped, "no sub-agent can be started: this session is over.");
  const jti = toBase64url(sha256(`${leaf.jti}\n${id}`));
  const wanted = vault.name("request", canonical(asJson(request)));
  const now = Math.floor(deployment.clock() / 1000);
  if (!(await deployment.engine.delegation(jti))) {
    const { agent, tools, task, expiresIn } = request;
    const claims = {
      holder: holder.jwk,
      tools,
      jti,
      now,
      ...(agent !== undefined && { agent }),
      ...(task !== undefined && { task }),
      ...(expiresIn !== undefined && { expiresIn }),
    };
    const derived = await deriveDelegation({ chain }, claims, holder).catch((error: unknown) => {
      throw refusal(error);
    });
    const { leaf: hop } = await verifyDelegation(derived, { issuers: deployment.anchors, now });
    const links = { at: deployment.clock(), spawn: id, request: wanted, parent: parent.parts.entry };
    await deployment.engine
      .append(delegationAppend(vault, derived.chain, hop, agent, links))
      .catch((error: unknown) => {
        // Another process was first: its token stands.
        if (!BehestError.isInstance(error) || error.code !== "action_conflict") throw error;
      });
  }
  const stored = await deployment.engine.delegation(jti);
  if (!stored) throw new BehestError("store_failed", "store_failed: a derived delegation was not stored.");
  if (stored.request !== wanted)
    throw denied("action_conflict", "this very sub-agent was started before with another delegation.");
  const { chain: own, agent } = openDelegation(vault, stored);
  const { claims, tools } = await verifyDelegation(own, { issuers: deployment.anchors, now });
  return {
    ...parent.parts,
    agent: agent ?? "agent",
    chain: own,
    hops: claims,
    tools,
    entry: stored.hash,
    path: parent.parts.path === "" ? id : `${parent.parts.path}/${id}`,
    parent,
  };
}

function asJson({ agent, tools, task, expiresIn }: DelegateRequest): object {
  return { tools, agent: agent ?? null, task: task ?? null, expiresIn: expiresIn ?? null };
}

function refusal(error: unknown): unknown {
  if (!(error instanceof DelegationError)) return error;
  if (error.code !== "wider_than_parent")
    return new BehestError("delegation_invalid", `delegation_invalid: ${error.message}`, { cause: error });
  return denied("wider_than_parent", error.message, 'Narrow "delegate".');
}
