import type { RecordFilter, RecordRow, StoredRecord } from "@behest/core/store";
import type { OutcomeWord } from "@behest/provenance";
import { MINE } from "../tenant.ts";
import type { Reads } from "./reads.ts";

type Row = RecordRow & {
  readonly tenant: string;
  readonly idx: number;
  readonly delegation: string | null;
  readonly interaction: number | null;
  readonly outcome: OutcomeWord | null;
  readonly ended: number | null;
};

/** Newest first in the query, so that a limit keeps those; in log order in the answer. */
export async function records(reads: Reads, filter: RecordFilter): Promise<readonly StoredRecord[]> {
  const { index, action, session, principal, tool, verdict, since, until, limit } = filter;
  const terms: string[] = [MINE];
  const values: unknown[] = [];
  const where = (term: (value: string) => string, value: string | number | undefined): void => {
    if (value === undefined) return;
    values.push(value);
    terms.push(term(`$${values.length}`));
  };
  // "/" comes after "." and nothing between: all ids that begin with this one and a dot.
  const name = 'session COLLATE "C"';
  where((v) => `(${name} = ${v} OR ${name} > ${v} || '.' AND ${name} < ${v} || '/')`, session);
  where((v) => `idx = ${v}`, index);
  where((v) => `action = ${v}`, action);
  where((v) => `principal = ${v}`, principal);
  where((v) => `tool = ${v}`, tool);
  where((v) => `verdict = ${v}`, verdict);
  where((v) => `at >= ${v}`, since);
  where((v) => `at <= ${v}`, until);
  values.push(limit ?? null);
  const rows = await reads.rows<Row>(
    `SELECT * FROM behest_record WHERE ${terms.join(" AND ")} ORDER BY idx DESC LIMIT $${values.length}`,
    values,
  );
  return rows.map(recordOf).toReversed();
}

function recordOf({ tenant: _, idx, delegation, interaction, outcome, ended, ...rest }: Row): StoredRecord {
  return {
    ...rest,
    index: idx,
    ...(delegation !== null && { delegation }),
    ...(interaction !== null && { interaction }),
    ...(outcome !== null && { outcome }),
    ...(ended !== null && { ended }),
  };
}
