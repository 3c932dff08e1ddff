import { type Json, parseJson, sha256Text } from "@behest/jws";
import {
  type ActionEntry,
  type ApprovalEntry,
  type DelegationEntry,
  type EntryPayload,
  type InteractionEntry,
  type OutcomeEntry,
  parseEntry,
} from "@behest/provenance";
import type { Vault } from "./content.ts";
import { openDelegation } from "../session/lineage.ts";
import { principalOf } from "./principal.ts";
import { listRecords } from "./records.ts";
import type { Engine, StoredRecord } from "../store/types.ts";
import type { FullRecord } from "../types.ts";

/** All entries of the action whose entry stands at `index`, joined, with what is still kept of their content. */
export async function joinRecord(engine: Engine, index: number): Promise<FullRecord | undefined> {
  const joined = await joinEntries(engine, index);
  if (!joined) return undefined;
  const { row, vault, record } = joined;
  const { interaction, action, outcome } = record.entries;
  const content = {
    ...(interaction &&
      (await opened(engine, vault, row.interaction!, interaction.turn, interaction.content))),
    ...(await opened(engine, vault, index, action.action, action.content)),
    ...(outcome && (await opened(engine, vault, row.ended!, action.action, outcome.content))),
  };
  return { ...record, content };
}

interface Joined {
  readonly row: StoredRecord;
  /** Undefined after erasure. */
  readonly vault: Vault | undefined;
  readonly record: Omit<FullRecord, "content">;
}

/** The same without content: none is opened. */
export async function joinEntries(engine: Engine, index: number): Promise<Joined | undefined> {
  const [row] = await engine.records({ index });
  const [record] = await listRecords(engine, { index });
  if (!row || !record) return undefined;
  const vault = (await principalOf(engine, row.principal))?.vault;
  const at = async <T extends EntryPayload>(place: number | undefined): Promise<T | undefined> => {
    if (place === undefined) return undefined;
    const [jws] = await engine.entries(place, 1);
    return !jws ? undefined : (parseJson(parseEntry(jws).payload) as unknown as T);
  };
  const action = await at<ActionEntry>(index);
  // Pruned at this moment.
  if (!action) return undefined;
  const interaction = await at<InteractionEntry>(row.interaction);
  const outcome = await at<OutcomeEntry>(row.ended);
  const approvals: ApprovalEntry[] = [];
  for (const place of await approvalPlaces(engine, row.principal, action))
    approvals.push((await at<ApprovalEntry>(place))!);
  const delegations: DelegationEntry[] = [];
  const places = row.delegation === undefined ? [] : await chainPlaces(engine, vault, row.delegation);
  for (const place of places) delegations.push((await at<DelegationEntry>(place))!);
  const entries = {
    delegations,
    ...(interaction && { interaction }),
    action,
    ...(approvals.length > 0 && { approvals }),
    ...(outcome && { outcome }),
  };
  return { row, vault, record: { ...record, entries } };
}

/** Where the entries of what persons have signed stand, on which an action started. */
async function approvalPlaces(engine: Engine, principal: string, entry: ActionEntry): Promise<number[]> {
  const { approvals = [], override } = entry.links;
  const linked = new Set([...approvals, ...(override === undefined ? [] : [override])]);
  if (linked.size === 0) return [];
  const own = await engine.approval(entry.action);
  const ahead = await engine.ahead({ principal, since: Date.parse(entry.at) });
  const decisions = [...(own?.decisions ?? []), ...ahead.flatMap((row) => row.decisions)];
  return decisions.filter(({ hash }) => linked.has(hash)).map(({ index }) => index);
}

/** Where the entries of a chain stand, root first; of an erased one only the leaf's. */
async function chainPlaces(engine: Engine, vault: Vault | undefined, leaf: string): Promise<number[]> {
  const stored = await engine.delegationOf(leaf);
  if (!stored) return [];
  if (!vault || stored.sealed.length === 0) return [stored.index];
  const places: number[] = [];
  for (const token of openDelegation(vault, stored).chain) {
    const hop = await engine.delegationOf(sha256Text(token.slice(0, token.lastIndexOf("."))));
    if (hop) places.push(hop.index);
  }
  return places;
}

async function opened(
  engine: Engine,
  vault: Vault | undefined,
  index: number,
  subject: string,
  commitments: { readonly [field: string]: string | undefined },
): Promise<{ [field: string]: Json }> {
  const found: { [field: string]: Json } = {};
  if (!vault) return found;
  const fields = Object.entries(commitments);
  for (const { id, sealed } of await engine.content(index)) {
    const field = fields.find(([, commitment]) => commitment === id)?.[0];
    const text = field === undefined ? "" : vault.open(subject, field, sealed);
    if (text !== "") found[field!] = JSON.parse(text) as Json;
  }
  return found;
}
