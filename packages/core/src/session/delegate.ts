import { type Anchor, DelegationError, deriveDelegation, verifyDelegation } from "@behest/delegation";
import { sha256Text } from "@behest/jws";
import { freeze } from "../action/arguments.ts";
import { anchorsOf, issuersOf } from "@behest/provenance";
import { STOPPED } from "../checks/lineage.ts";
import { strayedFrom } from "../checks/identity.ts";
import { BehestError, denied } from "../error.ts";
import { standInBelow } from "./stand-in.ts";
import type { RunningIdentity } from "./identity.ts";
import type { LiveSession, SessionParts } from "./live.ts";
import { delegationAppend, openDelegation } from "./lineage.ts";
import { refuseUnenforced } from "./restricted.ts";
import type { StoredDelegation } from "../store/types.ts";
import type { DelegateRequest } from "../types.ts";

/** What makes a child. */
export interface Spawn {
  /** Its action id. */
  readonly id: string;
  /** Of the turn that chose it. */
  readonly model?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly waits?: boolean;
  readonly defers?: boolean;
}

/**
 * The child that the spawn `id` makes of this session: derived once, stored, and reloaded ever after, so
 * that replaying a spawn yields the same token and the same counters. The child is bound to the same
 * holder: in one process another key would separate nothing.
 */
export async function deriveChild(
  parent: LiveSession,
  asked: DelegateRequest,
  spawn: Spawn,
): Promise<SessionParts> {
  const { id } = spawn;
  // One value from here on: whoever asked may change theirs meanwhile.
  const { value, text } = freeze(asked);
  const request = value as unknown as DelegateRequest;
  const { deployment, vault } = parent;
  const { delegated } = parent.parts;
  refuseStopped(parent);
  if (!delegated) return observedChild(parent, request, spawn);
  const { holder, chain, entry } = delegated;
  const jti = childOf(parent, id);
  const wanted = vault.name("request", text);
  if (!(await deployment.engine.delegation(jti))) {
    const now = Math.floor(deployment.clock() / 1000);
    const claims = { ...request, holder: holder.jwk, jti, now };
    const derived = await deriveDelegation({ chain }, claims, holder).catch((error: unknown) => {
      throw refusal(error);
    });
    await record(parent, derived.chain, request.agent, { spawn: id, request: wanted, parent: entry });
  }
  const stored = await deployment.engine.delegation(jti);
  if (!stored) throw new BehestError("store_failed", "store_failed: a derived delegation was not stored.");
  if (stored.request !== wanted)
    throw denied("action_conflict", "this very sub-agent was started before with another delegation.");
  return derivedChild(parent, delegated, spawn, stored).catch(async (error: unknown) => {
    // A manifest that withdraws its issuer has come in between.
    await deployment.under(async () => refuseStopped(parent));
    throw error;
  });
}

/** Judged and written under one manifest. What judges it may fetch its issuer's keys: no manifest waits for that. */
async function record(
  parent: LiveSession,
  chain: readonly string[],
  agent: string | undefined,
  links: { readonly spawn: string; readonly request: string; readonly parent: string },
): Promise<void> {
  const { deployment, vault } = parent;
  const judged = await deployment.under(async () => {
    refuseStopped(parent);
    return { manifest: deployment.manifest, trust: trustOf(parent) };
  });
  const { claims, restrictions } = await verifyDelegation(chain, judged.trust);
  refuseUnenforced(restrictions, deployment);
  const isRecorded = await deployment.under(async () => {
    refuseStopped(parent);
    if (judged.manifest !== deployment.manifest) return false;
    const child = delegationAppend(vault, chain, claims, agent, { at: deployment.clock(), ...links });
    await parent.written(deployment.engine.append(child)).catch((error: unknown) => {
      if (BehestError.isInstance(error) && error.code === "fan_out_spent")
        throw denied(error.code, "as many sub-agents as were delegated have been started.");
      // Another process was first: its token stands.
      if (!BehestError.isInstance(error) || error.code !== "action_conflict") throw error;
    });
    return true;
  });
  if (!isRecorded) await record(parent, chain, agent, links);
}

/** The same of a spawn that has made its child before; undefined where there is none, or its time is over. */
export async function reloadChild(parent: LiveSession, id: string): Promise<SessionParts | undefined> {
  const { delegated } = parent.parts;
  const stored = delegated && (await parent.deployment.engine.delegation(childOf(parent, id)));
  if (!stored) return undefined;
  return derivedChild(parent, delegated, { id }, stored).catch((error: unknown) => {
    if (!DelegationError.isInstance(error)) throw error;
    return undefined;
  });
}

function refuseStopped(parent: LiveSession): void {
  const stopped = parent.stopped(parent.deployment.clock());
  if (stopped) throw denied(stopped, `no sub-agent can be started: ${STOPPED[stopped]}`);
}

function childOf({ leaf }: LiveSession, spawn: string): string {
  return sha256Text(`${leaf.jti}\n${spawn}`);
}

function trustOf({ deployment }: LiveSession): { issuers: readonly Anchor[]; audience: string; now: number } {
  const { manifest, clock } = deployment;
  const now = Math.floor(clock() / 1000);
  return { issuers: anchorsOf(issuersOf(manifest)), audience: manifest.origin, now };
}

async function derivedChild(
  parent: LiveSession,
  { holder, chain }: NonNullable<SessionParts["delegated"]>,
  spawn: Spawn,
  stored: StoredDelegation,
): Promise<SessionParts> {
  const { chain: own, agent } = openDelegation(parent.vault, stored);
  const { claims, leaf: child, tools } = await verifyDelegation(own, trustOf(parent));
  const isOurs = child.jti === childOf(parent, spawn.id) && own.length === chain.length + 1;
  // Rows can be edited: what comes back must be the child of this very parent that this spawn made.
  if (!isOurs || chain.some((token, i) => own[i] !== token))
    throw new BehestError(
      "store_mismatch",
      "store_mismatch: a stored delegation is not the one that this spawn made.",
    );
  return {
    ...childParts(parent, agent, spawn),
    delegated: { chain: own, holder, entry: stored.hash },
    hops: claims,
    tools,
    identity: sameProcess(parent.parts.identity),
    strayed: strayedFrom(parent, spawn.model, parent.deployment.clock()).map((path) => `parent.${path}`),
  };
}

/** What any child has of its parent and of its spawn. */
function childParts(
  parent: LiveSession,
  agent: string | undefined,
  { id, signal, waits, defers }: Spawn,
): SessionParts {
  return {
    ...parent.parts,
    agent: agent ?? "agent",
    path: parent.parts.path === "" ? id : `${parent.parts.path}/${id}`,
    parent,
    signal,
    ...(waits !== undefined && { waits }),
    ...(defers !== undefined && { defers }),
  };
}

/** Where nothing was delegated nothing is derived: whatever is asked for, the child is observed, too. */
function observedChild(parent: LiveSession, { agent, task }: DelegateRequest, spawn: Spawn): SessionParts {
  return {
    ...childParts(parent, agent, spawn),
    hops: [...parent.parts.hops, standInBelow(parent.leaf, spawn.id, task)],
  };
}

/** A child runs where its parent runs, but may ask another model: that its turns will tell. */
function sameProcess(running: RunningIdentity | undefined): RunningIdentity | undefined {
  if (!running) return undefined;
  const { model: _, ...identity } = running.identity;
  return { ...running, identity };
}

function refusal(error: unknown): unknown {
  if (!(error instanceof DelegationError)) return error;
  if (error.code !== "wider_than_parent")
    return new BehestError("delegation_invalid", `delegation_invalid: ${error.message}`, { cause: error });
  return denied("wider_than_parent", error.message, 'Narrow "delegate".');
}
