import type { LogReport } from "@behest/provenance";

/** `not_shown`: this kind of proof, or this bundle, can neither prove nor disprove it. */
export type State = "proven" | "failed" | "missing" | "erased" | "not_shown";

/** What is asked of every record. Those that do not apply to it are absent. */
export type Aspect =
  /** Its entries stand in the log, signed by keys that the owner's manifests name. */
  | "entry"
  /** The delegations behind it verify, as of when it was taken. */
  | "authority"
  /** The agent's key signed that it wants this very action. */
  | "decision"
  /** The grants, evaluated again over the arguments, say what its entry says. */
  | "grant"
  /** The policies, evaluated again from their text, say what its entry says. */
  | "policy"
  /** The persons whose approval it rests on signed it. */
  | "approval"
  /** No revocation before it concerns it. */
  | "revocation"
  /** What was called is what was started, and what came of it is recorded. */
  | "outcome"
  /** What is shown of arguments, prompts and results is what its entries commit to. */
  | "content";

/** `index`: of the entry that it is about; for `check` `log`, of the one that would come next. */
export interface EvidenceFinding {
  readonly index: number;
  readonly check: string;
  readonly state: Exclude<State, "proven">;
  readonly code: string;
  readonly message: string;
}

/** One action: one attempt, an ask, or a denial. Indexes are of entries. */
export interface EvidenceRecord {
  readonly index: number;
  readonly action: string;
  readonly states: { readonly [aspect in Aspect]?: State };
  /** Root first. */
  readonly delegations: readonly number[];
  readonly interaction?: number;
  readonly approvals: readonly number[];
  readonly outcome?: number;
}

export interface EvidenceReport {
  /** Nothing is `failed` and nothing `missing`. */
  readonly ok: boolean;
  readonly log: LogReport;
  /** In log order. */
  readonly records: readonly EvidenceRecord[];
  /** Everything that is not proven, in log order. */
  readonly findings: readonly EvidenceFinding[];
}

/** The worst of what is known. */
export function worst(states: readonly State[]): State {
  for (const state of ["failed", "missing", "erased", "not_shown"] as const)
    if (states.includes(state)) return state;
  return "proven";
}
