import { type ProvenanceCode, ProvenanceError } from "../error.ts";
import type { EntryType } from "../payload.ts";

/** Why a part of a log is not proven: a refusal of the format in question, or one of the log's own. */
export type LogCode =
  | ProvenanceCode
  | "trust_missing"
  | "trust_out_of_sequence"
  | "key_not_certified"
  | "key_not_trusted"
  | "certificate_misplaced"
  | "certificate_not_in_force"
  | "sequence_gap"
  | "sequence_repeated"
  | "link_broken"
  | "delegation_mismatch"
  | "delegation_expired"
  | "issuer_not_trusted"
  | "issuer_not_shown"
  | "token_not_shown"
  | "decision_mismatch"
  | "approval_mismatch"
  | "approval_expired"
  | "approval_repeated"
  | "approval_overspent"
  | "approval_withdrawn"
  | "approver_not_trusted"
  | "permitted_after_denial"
  | "permitted_without_approval"
  | "revoker_not_trusted"
  | "cut_not_shown"
  | "permitted_after_cut"
  | "policy_not_listed"
  | "verdict_contradicted"
  | "content_erased"
  | "recorded_after_erasure"
  | "erased_early"
  | "erased_under_hold"
  | "pruning_mismatch"
  | "pruned_early"
  | "pruned_under_hold"
  | "not_pruned"
  | "attempt_mismatch"
  | "attempt_repeated"
  | "attempt_out_of_order"
  | "interaction_mismatch"
  | "choice_not_shown"
  | "outcome_mismatch"
  | "outcome_repeated"
  | "outcome_not_shown"
  | "entries_missing"
  | "entries_beyond_checkpoint"
  | "entries_hidden"
  | "entries_pruned"
  | "malformed_subtree"
  | "head_not_comparable"
  | "root_mismatch"
  | "head_mismatch"
  | "witnesses_missing"
  | "cosignature_invalid";

export type LogCheck =
  | "entry"
  | "trust"
  | "key"
  | "sequence"
  | "link"
  | "delegation"
  | "decision"
  | "approval"
  | "revocation"
  | "attempt"
  | "outcome"
  | "erasure"
  | "pruning"
  | "policy"
  | "witness"
  | "log";

export interface LogFinding {
  /** Index of the entry; where the log as a whole is meant (`check` `log`), of the entry that would come next. */
  readonly index: number;
  readonly check: LogCheck;
  readonly state: "failed" | "missing" | "erased" | "pruned" | "not_shown";
  readonly code: LogCode;
  readonly message: string;
}

/** The longest head of this log that a witness has cosigned. */
export interface Witnessed {
  readonly name: string;
  /** Seconds since the epoch, as it says. */
  readonly at: number;
  readonly size: number;
}

export interface LogReport {
  /** Nothing is `failed` and nothing `missing`. What is `not_shown` is neither proven nor disproved. */
  readonly ok: boolean;
  /** The log's name, once its trust manifest has been read. */
  readonly origin?: string;
  /** `local`: one machine, and whoever holds it, made all of the log's keys. */
  readonly rung?: "local";
  /** Of the log, as far as it was read, and the root over it, base64url. */
  readonly size: number;
  readonly root: string;
  /** Of these, entries of which only the hash of a subtree over them is shown. */
  readonly hidden: number;
  /** Of these, entries of which an entry of the log says that their text is gone. */
  readonly pruned: number;
  /** Entries that are shown and in which nothing failed. */
  readonly proven: number;
  /** Entries of each type that are signed by a key reached from the owner, and the principals (pseudonyms) they name. */
  readonly counts: { readonly [type in EntryType]: number } & { readonly principals: number };
  /** `action` entries that no delegation stands behind, marked as observed, with nothing enforced; counted above, too. */
  readonly observed: number;
  /** Pseudonyms of the principals that were erased: what is not there of theirs is not missing. */
  readonly erased: readonly string[];
  /** Everything that is not proven, in the order it was noticed. */
  readonly findings: readonly LogFinding[];
  /** Witnesses, pinned by the caller or named by the trust manifest, that have cosigned this log. */
  readonly witnessed: readonly Witnessed[];
  /** Only a head that somebody else has kept shows that no tail was cut off and no history rewritten. */
  readonly completeness: "not consistent" | "consistent, not proven complete" | `complete up to ${string}`;
}

/** Thrown while one entry is read: this is why it is not proven. */
export class Refusal extends Error {
  readonly check: LogCheck;
  readonly code: LogCode;
  constructor(check: LogCheck, code: LogCode, message: string) {
    super(message);
    this.check = check;
    this.code = code;
  }
}

/** Collects findings. */
export class Findings {
  readonly list: LogFinding[] = [];
  readonly #failed = new Set<number>();

  add(index: number, check: LogCheck, state: LogFinding["state"], code: LogCode, message: string): void {
    if (state === "failed") this.#failed.add(index);
    this.list.push({ index, check, state, code, message });
  }

  fail(index: number, check: LogCheck, code: LogCode, message: string): void {
    this.add(index, check, "failed", code, message);
  }

  /**
   * Runs one step on entry `index`; what refuses it becomes a finding (a format's refusal under `check`), and
   * the answer is undefined.
   */
  async collect<T>(index: number, check: LogCheck, step: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof Refusal) this.fail(index, error.check, error.code, error.message);
      else if (error instanceof ProvenanceError) this.fail(index, check, error.code, error.message);
      else throw error;
      return undefined;
    }
  }

  /** The tokens of the delegations at these indexes are not shown because they were erased. */
  erase(indexes: ReadonlySet<number>): void {
    const message = "the token was erased with its principal";
    for (const [at, found] of this.list.entries())
      if (found.code === "token_not_shown" && indexes.has(found.index))
        this.list[at] = { ...found, state: "erased", code: "content_erased", message };
  }

  /** How many of the first `size` entries failed nothing. */
  proven(size: number): number {
    let proven = size;
    for (const index of this.#failed) if (index < size) proven--;
    return proven;
  }

  get ok(): boolean {
    return this.list.every(({ state }) => state !== "failed" && state !== "missing");
  }
}
