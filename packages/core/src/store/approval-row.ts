/** An action that waits for persons, or what persons have signed ahead of actions. */
export interface ApprovalRow {
  /** The action's id; of what was signed ahead, its own name. */
  readonly id: string;
  readonly kind: "ask" | "mandate" | "override";
  /** What it is about, keyed or committed to: something else under the same id is an `action_conflict`. */
  readonly args: string;
  readonly principal: string;
  /** The run that waits, keyed; of an ask only. */
  readonly run?: string;
  /** What is shown to persons, and what they sign, sealed. */
  readonly sealed: Uint8Array;
  /** ms since the epoch; nothing starts on it afterwards. */
  readonly expires: number;
}

export interface StoredApproval extends ApprovalRow {
  /** The entry that asks; of what was signed ahead, the first that somebody signed. */
  readonly asked: { readonly index: number; readonly hash: string };
  /** An attempt has started on it; of an ask only. */
  readonly spent: boolean;
  /** Entries of the decisions handed in, in log order. */
  readonly decisions: readonly { readonly index: number; readonly hash: string }[];
}

/** Something that an attempt starts on, as it was judged. */
export interface Rest {
  /** Of the approval row. */
  readonly id: string;
  /** Decisions that had been handed in. */
  readonly decisions: number;
}
