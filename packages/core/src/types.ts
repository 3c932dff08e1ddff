import type { EraseRequest, Erasure } from "./erasure/erase.ts";
import type { Holds } from "./erasure/holds.ts";
import type { PruneRequest, Pruned } from "./prune/prune.ts";
import type { Access, Reading } from "./record/reading.ts";
import type {
  AatTools,
  AgentIdentity,
  DelegationLike,
  Duration,
  Holder,
  Json,
  Replay,
  RestrictionRequest,
} from "@behest/delegation";
import type {
  ActionEntry,
  ApprovalEntry,
  DelegationEntry,
  InteractionEntry,
  OutcomeEntry,
  OutcomeWord,
} from "@behest/provenance";
import type { Approval, ApprovalDecision, Ask, Need } from "./approval/approval.ts";
import type { Deferred } from "./deferred/deferral.ts";
import type { Code } from "./error.ts";
import type { Revocation } from "./revocation/listing.ts";
import type { ApprovalStats } from "./approval/fatigue.ts";
import type { AheadInForce } from "./approval/in-force.ts";
import type { SignedMandate } from "./approval/mandate.ts";
import type { SignedOverride } from "./approval/override.ts";
import type { Trust } from "./trust.ts";
import type { Witnessed } from "./witness/witnessed.ts";
import type { PolicyLimit } from "./policy/limit.ts";

/** One agent's authority while it runs. */
export interface Session {
  /** Pseudonymous; a spawned session's id begins with its parent's. */
  readonly id: string;
  /** The principal's subject, as the issuer asserted it. */
  readonly principal: string;
  /** For display; never authority. */
  readonly agent: string;
  /** Aborts when this session must stop. */
  readonly signal: AbortSignal;
  /** Makes the session ambient for everything `fn` starts, streams and generators included. */
  run<T>(fn: () => T): T;
  /**
   * Derives a narrower delegation and opens it. Throws `wider_than_parent`, `fan_out_spent`, `delegation_invalid`,
   * `action_conflict`, and what ends a session: `delegation_expired`, `session_ended`, `revoked`, `revocation_stale`.
   */
  delegate(request: DelegateRequest): Promise<Session>;
  /**
   * Advice: what the checks say now. Nothing is recorded, nothing reserved; neither what is left of a limit nor what
   * persons have signed is looked at.
   */
  authorize(action: Action): Promise<Verdict>;
  /**
   * Decides, records, runs and records again. `execute` gets the frozen arguments that were decided on.
   * Resolves with what happened; rejects with a {@link BehestError} when the action may not start: a denial throws.
   */
  perform<T, A extends Json = Json>(
    action: Action & { args: A },
    execute: (args: A, options: { signal: AbortSignal }) => Promise<T>,
  ): Promise<Outcome<T>>;
  /** What was deferred in this run, here and in the sub-agents that were started from here: see {@link OpenOptions.waiting}. */
  deferred(): readonly Deferred[];
}

export interface OpenOptions {
  /** Whose key the leaf is bound to; default: the deployment's. */
  holder?: Holder;
  /** Name for display; default: the delegation's `agent`. */
  agent?: string;
  /**
   * Which agent this process runs, compared with what the delegation binds: its own word, or the deployer's
   * (`attestAgent`), which it must be where the trust manifest lists that deployer. A turn's model counts as well.
   */
  identity?: AgentIdentity | string;
  /** Durable id of this run, such as a chat or thread: with it, a crashed or paused run resumes without doing anything twice. */
  run?: string;
  /** Ends the session. */
  signal?: AbortSignal;
  /**
   * What becomes of a call that persons have to approve, here and in sub-agents. `pause` (default): the run waits.
   * `defer`: the call is answered with a receipt (`approval_deferred`), the run goes on, and this process makes the call
   * once they have decided: see {@link Session.deferred}.
   */
  waiting?: "pause" | "defer";
}

/** `holder` and `identity` are compared with a delegation: here there is none, and they are not looked at. */
export interface ObserveOptions extends OpenOptions {
  /** By this process's word alone. Default: `observed`. */
  principal?: string;
}

/** What a sub-agent may do. What restricts the parent restricts it too, unless it asks for less. */
export interface DelegateRequest extends RestrictionRequest {
  agent?: string;
  /** Which agent it is for. It runs in this process: the session's own identity, with the model of its turns. */
  identity?: AgentIdentity;
  tools: AatTools;
  /** Take what lies within the parent of a wider request, instead of refusing it. */
  narrow?: boolean;
  task?: string;
  /** Default: as long as the parent. */
  expiresIn?: Duration;
}

/** One tool call that an agent wants to make. `callId` tells calls of one run apart; default: their order. */
export interface Action {
  tool: string;
  args: Json;
  callId?: string;
}

/** What one check found. `code` is `ok` where it passed. */
export interface Finding {
  readonly check: string;
  readonly code: Code;
  readonly rule?: string;
  readonly path?: string;
  readonly message: string;
  /** Persons who have to approve; such a finding neither passes nor denies. */
  readonly needs?: readonly Need[];
  /** A denial that an override lifts: policies were evaluated, and say no. */
  readonly liftable?: true;
  /** Of the policies that permit it, or would but for what is approved or lifted: it is charged to all of them when it starts. */
  readonly limits?: readonly PolicyLimit[];
}

export interface Verdict {
  /** `ask`: nothing is missing but the signatures of persons. */
  readonly verdict: "permit" | "deny" | "ask";
  readonly findings: readonly Finding[];
}

export type Outcome<T> =
  | { readonly outcome: "done"; readonly value: T }
  /** `error`: what the body threw, or the reason of the signal that stopped it. */
  | { readonly outcome: "failed" | "aborted" | "unknown"; readonly code: Code; readonly error: unknown };

export interface ActionRecord {
  readonly principal: string;
  readonly agent: string;
  readonly tool: string;
  readonly verdict: "permit" | "deny" | "ask";
  readonly code: Code;
  readonly outcome?: OutcomeWord;
  /** ms since the epoch. */
  readonly at: number;
  /** Action id, as entries and spans name it. */
  readonly action: string;
  /** No delegation stood behind it, and nothing was enforced: the principal is what `observe` was told. */
  readonly observed?: true;
  readonly session: string;
  /** Index of its `action` entry. */
  readonly index: number;
}

/** One action whole: intent, decision, policy, execution and response, from the entries that were signed. */
export interface FullRecord extends ActionRecord {
  readonly entries: {
    /** Root first; none where it was observed. */
    readonly delegations: readonly DelegationEntry[];
    /** The model turn that chose it; absent for calls that no model made. */
    readonly interaction?: InteractionEntry;
    readonly action: ActionEntry;
    /** What persons have signed that it started on: decisions, mandates, an override. */
    readonly approvals?: readonly ApprovalEntry[];
    readonly outcome?: OutcomeEntry;
  };
  /** What is still kept of what the entries commit to: `args`, `result`, `instruction`, `system`, `tools`, `response`, `reasoning`, `alternatives`. */
  readonly content: { readonly [field: string]: Json };
}

export interface RecordsFilter {
  /** Of its `action` entry. */
  index?: number;
  session?: Session;
  principal?: string;
  agent?: string;
  tool?: string;
  verdict?: "permit" | "deny" | "ask";
  /** Of a tool whose profile declares the argument as `control`: it had this value, whole, as it was decided on. */
  argument?: { readonly name: string; readonly value: Json };
  /** ms since the epoch, inclusive. */
  since?: number;
  until?: number;
}

export interface Records {
  /** In log order. */
  list(filter?: RecordsFilter): Promise<ActionRecord[]>;
  /** The record whose `action` entry stands at `index`; undefined when none does. */
  get(index: number): Promise<FullRecord | undefined>;
}

export interface Approvals {
  /** What waits now: one for each group whose approval is wanting. `approved`: also where none is, and it has not begun; it can still be denied. */
  list(filter?: { group?: string; run?: string; approved?: boolean }): Promise<Approval[]>;
  /**
   * Hands in a decision that was signed elsewhere, on one action or on all of a plan; it is recorded, and verified
   * again when it is used. Throws `approval_missing` (nothing waits under an id), `approval_invalid`.
   */
  submit(ids: string | readonly string[], decision: ApprovalDecision): Promise<void>;
  /**
   * Hands in what a person has signed ahead of actions, or that somebody ends it; recorded at once, and verified again
   * at each use. Throws `approval_missing` (the log has not met its delegation, or nothing is there to end),
   * `approval_invalid`.
   */
  submitAhead(signed: SignedMandate | SignedOverride): Promise<void>;
  /** What was signed ahead and is in force, with what is left of it. */
  ahead(): Promise<AheadInForce>;
  /** Resolves when none of these waits any more: approved, denied or expired. Rejects with the signal's reason. */
  settled(asks: readonly Ask[], options?: { signal?: AbortSignal }): Promise<void>;
  /** How often persons are asked and how they answer, by rule, over the whole log: rules whose answers nobody reads are flagged. */
  stats(): Promise<ApprovalStats>;
}

/** A cut that a revoker signed: a Security Event Token (RFC 8417), compact JWS. */
export interface SignedCut {
  readonly jws: string;
}

export interface Behest extends AsyncDisposable {
  /**
   * Verifies the chain under the trusted issuers and opens a session on its leaf. Throws
   * `delegation_invalid` (cause: the DelegationError), `delegation_expired`, `issuer_not_allowed`,
   * `revoked`, `revocation_stale`, `holder_mismatch`, `key_readable` (the holder's key has another role),
   * `identity_invalid`; `session_ended` and `trust_invalid` where this Behest is closed or its entry key has run out.
   */
  open(delegation: DelegationLike, options?: OpenOptions): Promise<Session>;
  /**
   * A session without a delegation, for a first day: nothing is stopped, and what profiles and policies would have
   * decided is recorded. Only where `enforce` is `"shadow"`, and said aloud: throws `shadow_only` elsewhere;
   * `session_ended`, `trust_invalid` as `open` does.
   */
  observe(options?: ObserveOptions): Session;
  readonly approvals: Approvals;
  readonly records: Records;
  /**
   * Takes in a cut that was signed elsewhere (`signCut`) by an enrolled revoker: it is durable, in force in this process,
   * and recorded when this resolves; other processes of the store follow within moments. Throws `revocation_refused`.
   */
  revoke(cut: SignedCut): Promise<void>;
  /** The cuts in force, and how much of what the log knows each stops. */
  revocations(): Promise<readonly Revocation[]>;
  /**
   * Takes up the next version of the trust manifest while everything runs: it becomes an entry of the log, with another
   * entry key; issuers, approvers, revokers and witnesses are those that it names from then on. Sessions end whose issuer
   * may no longer speak for them. Every process of a store has to be told, before or after: until it is, it writes nothing
   * (`trust_invalid`). Throws `trust_invalid` (another owner's, not the next, or not signed by its keepers; or one that no
   * longer trusts this process's enforcer), `policy_invalid` (it does not list this process's policies): with these last two
   * all sessions end. `key_readable`, `store_failed`.
   */
  trust(manifest: Trust["manifest"]): Promise<void>;
  /** How far witnesses have seen the log, as the store has kept it; undefined where none has, or it cannot be verified. */
  witnessed(): Promise<Witnessed | undefined>;
  /**
   * Destroys the key, the name and all content of a principal, in this store and all its processes, and records that;
   * every proof still verifies. What was delegated before is never opened again. Throws `principal_unknown`, `on_hold`,
   * `retained`, `cut_in_force`. See docs/operations.md.
   */
  erase(request: EraseRequest): Promise<Erasure>;
  /**
   * Destroys the text of old entries that nothing needs any more, and what lies beside them, and records that; every
   * proof still verifies. Takes many short transactions; what has gone when one fails is gone. Throws `retained`,
   * `on_hold`, `store_mismatch`, `store_failed`. See docs/operations.md.
   */
  prune(request: PruneRequest): Promise<Pruned>;
  /** Legal holds: what they are about is neither erased nor pruned. */
  readonly holds: Holds;
  /** Records and evidence for a person: each look is an entry of the log before anything is shown. */
  readingAs(person: string): Reading;
  /** What was shown so, to whom. */
  accesses(): Promise<readonly Access[]>;
  /**
   * For `verifyAction(…, { replay: behest.replay })`: a proof is accepted once among all processes that use this
   * store, and not again after a restart. Throws `store_failed`, which refuses the call.
   */
  readonly replay: Replay;
  /** Ends all sessions, waits for what is being written, gives the store's lease back. */
  close(): Promise<void>;
}
