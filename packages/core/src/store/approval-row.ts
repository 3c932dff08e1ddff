/** An action that waits for persons. */
export interface ApprovalRow {
  readonly action: string;
  /** The tool and its arguments, keyed: others under the same id are an `action_conflict`. */
  readonly args: string;
  readonly principal: string;
  readonly session: string;
  /** Its run, keyed. */
  readonly run: string;
  /** What is shown to persons, and what they sign, sealed. */
  readonly sealed: Uint8Array;
  /** ms since the epoch; nothing starts on it afterwards. */
  readonly expires: number;
}

export interface StoredApproval extends ApprovalRow {
  /** The entry that asks. */
  readonly asked: { readonly index: number; readonly hash: string };
  /** An attempt has started on it. */
  readonly spent: boolean;
  /** Entries of the decisions handed in, in log order. */
  readonly decisions: readonly { readonly index: number; readonly hash: string }[];
}
