import type { ApprovalRow, Content, DelegationRow, Placed, RecordRow } from "@behest/core/store";
import type { ActionRow, Place, Work } from "./work.ts";

/** Pieces of content that may lie beside one entry. */
const MOST = 64;

/** `beside`: index of an entry; of a spawn, which has none, the action. */
export function keep(work: Work, content: readonly Content[] = [], beside: number | string): void {
  if (content.length > MOST) throw new RangeError(`more than ${MOST} pieces of content beside one entry`);
  for (const [place, { id, principal, sealed, until = null }] of content.entries())
    if (typeof beside === "number")
      work.contents.add(`${beside} ${place}`, { idx: beside, place, id, principal, sealed, until });
    else work.spawned.set(JSON.stringify([beside, id]), { action: beside, id, principal, sealed, until });
}

export function record(work: Work, row: RecordRow, idx: number): void {
  const { delegation = null, interaction = null, ...known } = row;
  work.records.add(String(idx), { idx, ...known, delegation, interaction, outcome: null, ended: null });
}

/** An attempt that has ended, in its action and its record. */
export function settle(work: Work, row: ActionRow): void {
  work.found.actions.set(row.id, row);
  if (row.entry === null) return;
  const key = String(row.entry);
  const fresh = work.records.get(key);
  const { outcome, ended } = row;
  if (fresh) work.records.set(key, { ...fresh, outcome, ended });
  else work.outcomes.set(key, { idx: row.entry, outcome, ended });
}

export function delegate({ found }: Work, row: DelegationRow, place: Place): void {
  const { leaf, jti, principal, request = null, sealed } = row;
  found.delegations.add(leaf, { leaf, jti, principal, request, sealed, ...place });
  if (request !== null) found.spawnedBy.add(jti, { leaf, jti, principal, request, ...place });
}

export function ask({ found }: Work, row: ApprovalRow, { index, hash }: Placed): void {
  found.approvals.add(row.id, { ...row, asked: { index, hash }, spent: false, decisions: [] });
}

export function decide({ found, decisions }: Work, id: string, { index, hash }: Placed): void {
  decisions.add(JSON.stringify([id, index]), { approval: id, idx: index });
  const row = found.approvals.get(id);
  if (row) found.approvals.set(id, { ...row, decisions: [...row.decisions, { index, hash }] });
}
