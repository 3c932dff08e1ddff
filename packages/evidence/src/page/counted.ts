import { parseJson, splitCompact } from "@behest/jws";
import { type Manifest, retentionOf } from "@behest/provenance";
import type { Aspect, EvidenceRecord } from "../report.ts";
import type { Model } from "./model.ts";

/** What is there and proven. */
export interface Counted {
  readonly actions: number;
  readonly denied: number;
  /** Permitted on a decision about this very action. */
  readonly approved: number;
  /** By two persons or more. */
  readonly twice: number;
  readonly overrides: number;
  readonly authority: number;
  readonly decision: number;
  readonly grant: number;
  readonly policy: number;
  readonly content: number;
  readonly outcomes: number;
  readonly credentials: number;
  readonly turns: number;
  readonly approvals: number;
  readonly persons: number;
  readonly revocations: number;
  readonly manifests: number;
  /** Of these, those under which nothing may be erased unmarked for six months. */
  readonly keeping: number;
  /** Of these, those that list which policies may decide. */
  readonly listing: number;
  /** Of these, those after which a change needs signatures beside the owner's. */
  readonly countersigned: number;
  readonly accesses: number;
}

export function counted(model: Model): Counted {
  const records = model.report.records.filter(({ states }) => states.entry === "proven");
  const of = (test: (record: EvidenceRecord) => boolean): number => records.filter(test).length;
  const proven = (aspect: Aspect): number => of(({ states }) => states[aspect] === "proven");
  const approvals = model.report.approvals.filter(({ state }) => state === "proven");
  const manifests = model.proven("trust").flatMap(({ manifest }) => manifest ?? []);
  const turns = new Set(records.flatMap(({ interaction }) => interaction ?? []));
  // A mandate is no decision on one action, and an override none at all.
  const deciders = (record: EvidenceRecord): number =>
    record.verdict === "permit" && record.states.approval === "proven"
      ? personsOf(model.approvals(record).filter(({ kind }) => kind === "decision"))
      : 0;
  return {
    actions: records.length,
    denied: of(({ verdict }) => verdict === "deny"),
    approved: of((record) => deciders(record) > 0),
    twice: of((record) => deciders(record) > 1),
    overrides: of(({ override, states }) => override === true && states.approval === "proven"),
    authority: proven("authority"),
    decision: proven("decision"),
    grant: proven("grant"),
    policy: proven("policy"),
    content: proven("content"),
    outcomes: proven("outcome"),
    credentials: of(
      (record) => record.states.outcome === "proven" && model.outcome(record)?.credential !== undefined,
    ),
    turns: [...turns].filter((index) => model.state(index) === "proven").length,
    approvals: approvals.length,
    persons: personsOf(approvals),
    revocations: model.proven("revocation").length,
    manifests: manifests.length,
    keeping: manifests.filter((jws) => keepsSixMonths(claimsOf(jws))).length,
    listing: manifests.filter((jws) => claimsOf(jws).policies !== undefined).length,
    countersigned: manifests.filter((jws) => claimsOf(jws).changes !== undefined).length,
    accesses: model.proven("access").length,
  };
}

function personsOf(approvals: Model["report"]["approvals"]): number {
  return new Set(approvals.flatMap(({ signed }) => signed?.person ?? [])).size;
}

/** Of a manifest in a proven entry: its signature was verified. */
function claimsOf(jws: string): Pick<Manifest, "retention" | "policies" | "changes"> {
  return parseJson(splitCompact(jws).payload) as Pick<Manifest, "retention" | "policies" | "changes">;
}

function keepsSixMonths({ retention }: Pick<Manifest, "retention">): boolean {
  return retentionOf({ ...(retention !== undefined && { retention }) }) >= retentionOf({});
}
