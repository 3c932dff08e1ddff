import type { RecordFilter, StoredRecord } from "./types.ts";

/** Whether a listing names this record, its limit aside. */
export function matches(row: StoredRecord, filter: RecordFilter): boolean {
  const { index, action, session, principal, tool, verdict, since, until } = filter;
  return (
    (index === undefined || row.index === index) &&
    (action === undefined || row.action === action) &&
    (session === undefined || row.session === session || row.session.startsWith(`${session}.`)) &&
    (principal === undefined || row.principal === principal) &&
    (tool === undefined || row.tool === tool) &&
    (verdict === undefined || row.verdict === verdict) &&
    (since === undefined || row.at >= since) &&
    (until === undefined || row.at <= until)
  );
}
