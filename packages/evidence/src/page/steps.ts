import type { EvidenceDelegation, EvidenceRecord } from "../report.ts";
import type { Model } from "./model.ts";
import { hasFailed } from "./words.ts";

/** Actions that follow each other and are alike: the same agent, tool, verdict, outcome and states. */
export interface Step {
  readonly first: EvidenceRecord;
  readonly count: number;
}

/** What was done at one principal's behest. */
export interface Behest {
  /** Leaf of a chain of theirs; undefined: no delegation was there, or none is shown. */
  readonly under: EvidenceDelegation | undefined;
  readonly steps: readonly Step[];
}

/** By principal, in log order. Where names are not proven, by pseudonym. */
export function behests(model: Model): Behest[] {
  const groups = Map.groupBy(model.report.records, (record) => whose(model.chain(record).at(-1)));
  return [...groups.values()].map((records) => ({
    under: model.chain(records[0]!).at(-1),
    steps: stepsOf(model, records),
  }));
}

function whose(leaf: EvidenceDelegation | undefined): string {
  if (!leaf) return "";
  const { principal } = leaf.token ?? {};
  return principal ? JSON.stringify([principal.issuer, principal.subject]) : leaf.pseudonym;
}

function stepsOf(model: Model, records: readonly EvidenceRecord[]): Step[] {
  const steps: { first: EvidenceRecord; count: number }[] = [];
  let before = "";
  for (const record of records) {
    const kind = kindOf(model, record);
    if (kind === before) steps.at(-1)!.count++;
    else steps.push({ first: record, count: 1 });
    before = kind;
  }
  return steps;
}

/** What a person has to look at alone is like nothing else. */
function kindOf(model: Model, record: EvidenceRecord): string {
  const { index, delegations, tool, verdict, result, states, approvals } = record;
  const alone = hasFailed(record) || approvals.length > 0 || verdict === "ask" || record.override;
  return JSON.stringify(
    alone
      ? index
      : [delegations, tool, verdict, result, states, model.reason(record), record.enforce, record.observed],
  );
}
