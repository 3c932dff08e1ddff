export interface JournalRow {
  readonly run: string;
  readonly key: string;
  readonly sealed: Uint8Array;
  readonly principal: string;
  /** ms since the epoch; swept afterwards. */
  readonly until: number;
}
