import type { Facts } from "@behest/core/replay";
import { isInWorkspace, isWorkspace } from "@behest/delegation";
import { type Json, canonical } from "@behest/jws";
import type { ActionEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { goes } from "./parts.ts";

/** What policies were decided on, as a process recorded it; undefined for what none records. */
export function factsIn(value: Json): Facts | undefined {
  const facts = value as unknown as Partial<Facts> | null;
  const { agent, person } = facts ?? {};
  const whole = isObject(agent) && isObject(person) && Array.isArray(agent.ancestors);
  return whole ? (facts as Facts) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What of them contradicts the entry or its chain. */
export function straysFrom(
  { agent, person, now, task, within, workspace, approvals }: Facts,
  entry: ActionEntry,
  delegation: KnownDelegation | undefined,
): string | undefined {
  const isMismatch = entry.findings.some(({ code }) => code === "identity_mismatch");
  const said = {
    time: now === Date.parse(entry.at),
    identity: agent.mismatch === isMismatch,
    // Persons are counted by what they signed, not by what is said of them.
    approvals: approvals === undefined,
  };
  const { verified } = delegation ?? {};
  const other = Object.entries(said).find(([, equal]) => !equal)?.[0];
  if (other !== undefined || !verified) return other;
  const { leaf, claims, issuer, principal, restrictions, consent } = verified;
  const same = {
    person: person.issuer === issuer && person.subject === principal,
    agent: agent.id === leaf.jti && agent.tenant === verified.tenant,
    consent: agent.consent === consent.rung,
    chain: canonical(agent.ancestors) === canonical(claims.slice(0, -1).map(({ jti }) => jti)),
    task: task === leaf.task,
    workspace: within === restrictions?.workspace && (!goes(entry) || liesIn(within, workspace)),
  };
  return Object.entries(same).find(([, equal]) => !equal)?.[0];
}

/** Where nothing is delegated, anywhere. */
function liesIn(delegated: string | undefined, workspace: unknown): boolean {
  if (delegated === undefined) return true;
  return typeof workspace === "string" && isWorkspace(workspace) && isInWorkspace(delegated, workspace);
}
