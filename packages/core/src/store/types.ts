import type { PrivateJwk } from "@behest/jws";
import type { OutcomeWord } from "@behest/provenance";
import type { Feed } from "../revocation/feed.ts";
import type { ApprovalRow, Rest, StoredApproval } from "./approval-row.ts";
import type { JournalRow } from "./journal-row.ts";
import type { Erase, EraseResult } from "./erasure.ts";
import type { DelegationRow, StoredDelegation } from "./delegation-row.ts";
import type { Principal, PrincipalRow } from "./principal-row.ts";
import type { Prune, PruneResult } from "./pruning.ts";
import type { RecordFilter, RecordRow, StoredRecord } from "./record-row.ts";

export type { ApprovalRow, RecordFilter, RecordRow, Rest, StoredApproval, StoredRecord };
export type {
  DelegationRow,
  Erase,
  EraseResult,
  JournalRow,
  Principal,
  PrincipalRow,
  Prune,
  PruneResult,
  StoredDelegation,
};

/** What a store needs to sign and to be checked with. */
export interface Identity {
  /** The log's name, from the trust manifest: first line of every checkpoint. */
  readonly origin: string;
  /** The manifest as its owner signed it; becomes an entry where the log has not met it. */
  readonly manifest: string;
  /** This process's entry key: short-lived, made at start, never written anywhere. */
  readonly entryKey: PrivateJwk;
  /** The enforcer's certificate of it; becomes the first entry it signs. */
  readonly certificate: string;
}

/** An entry to sign and append: canonical JSON of its payload. The store adds `seq`. */
export type Draft = string;

/**
 * Sealed content beside the log, at most 64 pieces beside one entry. `until`: when it may be swept, ms since
 * the epoch; absent: until erasure.
 */
export interface Content {
  /** The commitment in the entry. */
  readonly id: string;
  readonly principal: string;
  readonly sealed: Uint8Array;
  readonly until?: number;
}

/** A place in the log. */
export interface Placed {
  readonly index: number;
  /** Leaf hash, base64url. */
  readonly hash: string;
  /** `size:root` of the checkpoint of the batch, root in base64url. */
  readonly head: string;
  /** This was stored before, here; nothing was changed. Only {@link Append} answers so. */
  readonly again?: true;
}

/** Entries that no condition guards: delegations, interactions, denials. Durable when the promise resolves. */
export interface Append {
  readonly entry: Draft;
  /** Whose it is, where no row beside it says so; see {@link Engine.erase}. */
  readonly principal?: string;
  /** Leaf hash of the delegation that its entry links to, where no record says it; see {@link Engine.prune}. */
  readonly under?: string;
  readonly content?: readonly Content[];
  readonly record?: RecordRow;
  /**
   * A model turn, for replay; durable with its entry. The first of a (run, key) stays: a second append
   * changes nothing and answers `again`; what was recorded is then to be recalled, not what was sampled.
   */
  readonly journal?: JournalRow;
  /**
   * A delegation of this id (leaf hash) is stored with its entry, once: a second append with the same
   * id changes nothing and answers with the first one's place.
   */
  readonly delegation?: DelegationRow;
  /** Counts the delegation among its parent's children when it is stored; without room: `fan_out_spent`. */
  readonly charge?: Charge;
  /** A denial already recorded under this key is not recorded again (a resumed run denies the same again). */
  readonly once?: string;
  /** The entry asks for approval, or grants it ahead, once: a second one with the same `args` answers `again`. */
  readonly approval?: ApprovalRow;
  /** The entry is a person's decision on what these ids name. */
  readonly decides?: readonly string[];
}

/** Adds to a counter, if it then holds no more than `most`. Both are decimals that are not negative. */
export interface Charge {
  /** A keyed name: whoever reads the store learns nothing of the delegation from it. */
  readonly counter: string;
  readonly add: string;
  readonly most: string;
  /** ms since the epoch: from then on the counter may be forgotten, and takes nothing more. */
  readonly until: number;
}

/** The decision: one transaction. */
export interface Begin {
  readonly action: string;
  /** As in {@link Append}. */
  readonly principal?: string;
  /** Stands for the tool and its canonical arguments, keyed: equality only. */
  readonly args: string;
  /** The same of the arguments before they were parsed, where those are known. */
  readonly given?: string;
  /** The attempt the entry names: 1, or what a `retry` answer asked for. */
  readonly attempt: number;
  /** A read, or a spawn (whose child replays itself), may start again after `unknown`. */
  readonly repeatable: boolean;
  /** Earliest `exp` of the chain, ms since the epoch; compared with the store's clock inside the transaction. */
  readonly expires: number;
  /**
   * What it starts on beside what was delegated: in the same transaction each is there, has not expired, and nobody
   * has decided on it since (else `approval_needed`). Its own ask, where there is one, has to be among it also where there
   * is nothing else, and is spent by it.
   */
  readonly rests?: readonly Rest[];
  /** How many cuts it was judged by; where the store's feed has more by now, it does not start (`cuts_unseen`). */
  readonly seen?: number;
  /** Made together or not at all, and by one action to one counter once, however many attempts it takes. */
  readonly charges?: readonly Charge[];
  /** Absent for a spawn, whose record is the child's delegation entry. */
  readonly entry?: Draft;
  readonly content?: readonly Content[];
  readonly record?: RecordRow;
}

export type BeginResult =
  | { readonly begun: "started"; readonly placed?: Placed }
  /** Begin again with this attempt: the one before ended as `unknown` and may be repeated. */
  | { readonly begun: "retry"; readonly attempt: number }
  /** It has ended; `result` is the sealed recorded result, when there is one. */
  | {
      readonly begun: "ended";
      readonly outcome: OutcomeWord;
      readonly code: string;
      readonly result?: Uint8Array;
    }
  /** Another attempt holds a living lease. */
  | { readonly begun: "running" }
  | {
      readonly begun: "refused";
      readonly code: "action_conflict" | "delegation_expired" | "approval_needed";
    }
  /** The feed has gone on since. */
  | { readonly begun: "refused"; readonly code: "cuts_unseen" }
  /** `charge`: index of the first that its counter has no room for. */
  | { readonly begun: "refused"; readonly code: "budget_spent"; readonly charge: number };

export interface Finish {
  readonly action: string;
  readonly attempt: number;
  readonly outcome: OutcomeWord;
  readonly code: string;
  /** Absent for a spawn. */
  readonly entry?: Draft;
  readonly content?: readonly Content[];
  /** Which of `content` is the result, by id; for replay. */
  readonly result?: string;
  /** Of the charges of its begin: those that are taken back. */
  readonly unspent?: readonly Charge[];
}

/** `late`: the lease had lapsed and the attempt is already `unknown`; nothing was changed. */
export type FinishResult =
  | { readonly finished: "ended"; readonly placed?: Placed }
  | { readonly finished: "late" };

export interface SeenTool {
  readonly tool: string;
  readonly kind: "wrapped" | "unwrapped" | "provider";
  /** It has a profile. */
  readonly declared: boolean;
  /** Last time, ms since the epoch. */
  readonly at: number;
}

/** The entries from index·2^level up to (index+1)·2^level. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/**
 * What every store does. Writes are group-committed in the order of the calls; a promise that resolves
 * means durable. A write that fails leaves nothing of itself behind and rejects with `store_failed`.
 */
export interface Engine {
  /**
   * Opens the log for this process: refuses one whose entries and checkpoint disagree, or that is no
   * extension of the highest head known (`store_mismatch`), whose file is not ours alone (`store_unsafe`,
   * `store_foreign`), or that this identity does not suit (`trust_invalid`); appends manifest and certificate;
   * closes what dead processes left as `unknown`; takes a lease. Called once, before anything is written.
   */
  attach(identity: Identity): Promise<void>;
  /** Another entry key from now on, certified under the manifest in force or under the next one, which becomes an entry with it; else `trust_invalid`. */
  rotate(identity: Identity): Promise<void>;
  /** The pseudonym and key of (issuer, subject); made on first use, durable before it is answered. */
  principal(issuer: string, subject: string): Promise<PrincipalRow>;
  /**
   * Stores a pseudonym and key that the caller has drawn for (issuer, subject), for what cannot wait for
   * {@link Engine.principal}. Where that pair or pseudonym has a row, it rejects with `store_failed`.
   */
  register(who: Principal): Promise<void>;
  /** The other way; undefined after erasure. */
  subject(pseudonym: string): Promise<Omit<Principal, "pseudonym"> | undefined>;
  /** All that are called so, whoever asserts it; none is made. */
  named(subject: string): Promise<readonly Pick<Principal, "pseudonym" | "issuer">[]>;
  /**
   * Destroys the keys and names of these principals and everything that is sealed under the keys, and appends the entry
   * that says so: all in one transaction. From then on, in all processes, whatever is to be appended or begun of them
   * rejects with `principal_erased`; an attempt that had begun still ends, and leaves no content. What was found by
   * those names is found by nobody: (issuer, subject) gets another pseudonym and key when it comes back.
   */
  erase(request: Erase): Promise<EraseResult>;
  /**
   * Destroys the text of these entries and what lies beside them, and appends the entry that says so: all in one
   * transaction. Their hashes stay. From then on whatever is to be appended or begun under a delegation, or after a
   * turn, that is gone rejects with `entry_pruned`.
   */
  prune(request: Prune): Promise<PruneResult>;
  /** Indexes below `before` of the entries of model turns that may still be recalled. */
  recallable(before: number): Promise<readonly number[]>;
  append(request: Append): Promise<Placed>;
  begin(request: Begin): Promise<BeginResult>;
  finish(request: Finish): Promise<FinishResult>;
  /** By jti. */
  delegation(jti: string): Promise<StoredDelegation | undefined>;
  /** By leaf hash. */
  delegationOf(leaf: string): Promise<StoredDelegation | undefined>;
  /** All of them, in log order. */
  delegations(): Promise<readonly DelegationRow[]>;
  /** A recorded model turn, with the place of its interaction entry. */
  recall(
    run: string,
    key: string,
  ): Promise<{ readonly sealed: Uint8Array; readonly index: number; readonly hash: string } | undefined>;
  /** The run has ended: its model turns are of no more use. */
  forget(run: string): Promise<void>;
  /**
   * Spends an id once among all processes of the log: true for the first, durable before it is answered. False
   * when it is spent, or when `until` (ms since the epoch) is over by the store's time; ids are forgotten then.
   */
  spend(id: string, until: number): Promise<boolean>;
  /** What was asked for under an action's id, or signed ahead under its own. */
  approval(id: string): Promise<StoredApproval | undefined>;
  /** All asks that wait: neither spent nor expired by the store's time. Of a run: all that were ever made in it. */
  approvals(run?: string): Promise<readonly StoredApproval[]>;
  /** What was signed ahead, of one principal or of all, that expires after `since`, ms since the epoch. In log order. */
  ahead(filter: { readonly principal?: string; readonly since: number }): Promise<readonly StoredApproval[]>;
  /** Whether an attempt of this action has ever begun. */
  hasBegun(action: string): Promise<boolean>;
  /** What these counters hold. */
  held(counters: readonly string[]): Promise<readonly string[]>;
  /** Indexes of the entries whose key ({@link Append.once}) begins so. */
  recorded(prefix: string): Promise<readonly number[]>;
  /** Cuts, beside the log. There once it is attached. */
  readonly feed: Feed;
  /** A signed cut of the store's own feed by its SHA-256, base64url; undefined where it is not there or its time is over. */
  cut(digest: string): Promise<string | undefined>;
  /** Remembers how tools were met (`behest coverage`); not evidence, so neither signed nor awaited. */
  seen(tools: readonly SeenTool[]): void;
  coverage(): Promise<readonly SeenTool[]>;
  /** In log order. */
  records(filter: RecordFilter): Promise<readonly StoredRecord[]>;
  /** What lies beside the entry at this index, and has neither ended nor been erased. */
  content(index: number): Promise<readonly Content[]>;
  /** Entries as they were signed, `from` inclusive, at most `limit`; an empty text in the place of one that was pruned. */
  entries(from: number, limit: number): Promise<readonly string[]>;
  /** Hashes of complete subtrees of the log, in the order asked for: what stands for entries that are not shown. */
  subtrees(places: readonly Subtree[]): Promise<readonly Uint8Array[]>;
  /** The last signed checkpoint. */
  checkpoint(): Promise<string>;
  /** The same once it is known to be of this log, else `store_mismatch`; where others than this account can write it. */
  head?(): Promise<string>;
  /** The newest checkpoint that was kept with the cosignatures of witnesses. */
  cosigned(): Promise<string | undefined>;
  /** Keeps a cosigned checkpoint of this log, unless the one that is kept is of a longer log. */
  keepCosigned(note: string): Promise<void>;
  /** Keeps a text that entries name by its SHA-256 (base64url): a set of policies. No personal data, so no erasure takes it. */
  keepDocument(digest: string, text: string): Promise<void>;
  document(digest: string): Promise<string | undefined>;
  /** Finishes what is under way, gives the lease back. Idempotent. */
  close(): Promise<void>;
}

/** Where core finds the engine in what users hand around. */
export const engine: unique symbol = Symbol.for("behest.store.engine.v1") as never;

/** A store, opaque to its user: {@link sqliteStore}, {@link memoryStore}. */
export interface Store {
  readonly [engine]: Engine;
  close(): Promise<void>;
}
