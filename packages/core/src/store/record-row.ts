import type { OutcomeWord } from "@behest/provenance";

/** How a listing finds an action again. All of it is pseudonymous or a tool's name. */
export interface RecordRow {
  readonly action: string;
  readonly attempt: number;
  readonly session: string;
  readonly principal: string;
  /** Leaf hash of the delegation it was taken under; absent where it was observed. */
  readonly delegation?: string;
  readonly tool: string;
  readonly verdict: "permit" | "deny" | "ask";
  readonly code: string;
  /** ms since the epoch. */
  readonly at: number;
  /** The agent's name, sealed. */
  readonly agent: Uint8Array;
  /** Index of the entry of the model turn that chose it. */
  readonly interaction?: number;
}

export interface RecordFilter {
  /** Of the action entry. */
  readonly index?: number;
  /** Its id: all that was recorded of it. */
  readonly action?: string;
  /** A session and everything spawned below it: ids that equal it or begin with it and a dot. */
  readonly session?: string;
  readonly principal?: string;
  readonly tool?: string;
  readonly verdict?: string;
  /** ms since the epoch, both inclusive. */
  readonly since?: number;
  readonly until?: number;
  /** The latest so many; without it, all. */
  readonly limit?: number;
}

/** A {@link RecordRow} with what became of it. */
export interface StoredRecord extends RecordRow {
  /** Index of its action entry. */
  readonly index: number;
  readonly outcome?: OutcomeWord;
  /** Index of its outcome entry. */
  readonly ended?: number;
}
