import type { AatTools, Restrictions } from "@behest/delegation";
import type { ActionEntry, ApprovalEntry, LogReport, OutcomeWord } from "@behest/provenance";

/** `pruned`: its text is gone, and an entry of the log says so. `not_shown`: this kind of proof, or this bundle, can neither prove nor disprove it. */
export type State = "proven" | "failed" | "missing" | "erased" | "pruned" | "not_shown";

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
  /** As its entry says, with `override` where break-glass let it start. */
  readonly at: string;
  readonly tool: string;
  readonly verdict: ActionEntry["verdict"];
  /** Of the finding that decided, as the entry says: why it was refused, or `ok`. */
  readonly code: string;
  readonly enforce?: "shadow";
  readonly observed?: true;
  readonly override?: true;
  /**
   * On whose behalf, and by which agent, as its parent named it or else as its process called it: only where the entry
   * and its chain are proven.
   */
  readonly principal?: EvidencePrincipal;
  readonly agent?: string;
  readonly states: { readonly [aspect in Aspect]?: State };
  /** Root first. */
  readonly delegations: readonly number[];
  readonly interaction?: number;
  readonly approvals: readonly number[];
  /** The one that stands, and what it says. */
  readonly outcome?: number;
  readonly result?: OutcomeWord;
}

/** A principal, and who asserts it. */
export interface EvidencePrincipal {
  readonly issuer: string;
  readonly subject: string;
}

/** One hop of a chain. What its token says is absent unless the chain up to it is proven. */
export interface EvidenceDelegation {
  readonly index: number;
  readonly parent?: number;
  readonly state: State;
  /** Pseudonym in this log. */
  readonly pseudonym: string;
  /** RFC 7638 thumbprint of the holder's key. */
  readonly holder: string;
  readonly token?: {
    readonly principal: EvidencePrincipal;
    /** How the principal consented, as the issuer states it. */
    readonly consent: string;
    readonly agent?: string;
    readonly task?: string;
    /** What it permits: of each tool, the rules of its arguments. */
    readonly tools: AatTools;
    /** What restricts it beyond that. */
    readonly restrictions?: Restrictions;
    /** RFC 3339. */
    readonly expires: string;
  };
}

/** What a person signed: on actions that wait, or ahead of them. */
export interface EvidenceApproval {
  readonly index: number;
  readonly kind: ApprovalEntry["kind"];
  /** When it was handed in. */
  readonly at: string;
  readonly state: State;
  /** Absent where no key that the manifest names for this signed it. */
  readonly signed?: SignedApproval;
}

export interface SignedApproval {
  readonly decision: "approve" | "deny";
  readonly group: string;
  /** As the owner's manifest names the person. */
  readonly person: string;
  /** RFC 7638 thumbprint. */
  readonly key: string;
  /** RFC 3339: good until. */
  readonly until: string;
}

export interface EvidenceReport {
  /** Nothing is `failed` and nothing `missing`. */
  readonly ok: boolean;
  readonly log: LogReport;
  /** In log order. */
  readonly records: readonly EvidenceRecord[];
  readonly delegations: readonly EvidenceDelegation[];
  readonly approvals: readonly EvidenceApproval[];
  /** Everything that is not proven, in log order. */
  readonly findings: readonly EvidenceFinding[];
}

/** The worst of what is known. */
export function worst(states: readonly State[]): State {
  for (const state of ["failed", "missing", "erased", "pruned", "not_shown"] as const)
    if (states.includes(state)) return state;
  return "proven";
}

/** Checks that are asked of an entry that stands in the log, each with an aspect of its own. */
export const JUDGED: ReadonlySet<string> = new Set([
  "grant",
  "policy",
  "approval",
  "revocation",
  "content",
  "decision",
  "attempt",
  "outcome",
  "delegation",
]);
