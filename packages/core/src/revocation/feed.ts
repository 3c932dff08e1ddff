import { sha256Text } from "@behest/jws";
import { BehestError } from "../error.ts";

/** How far a feed goes, and the hash over all of it. */
export interface FeedHead {
  /** Of the last cut; 0 where there is none. */
  readonly seq: number;
  /** SHA-256, base64url: over the head before and the row. `""` where there is none. */
  readonly hash: string;
}

export const START: FeedHead = { seq: 0, hash: "" };

/** A cut on its way into a feed. */
export interface NewCut {
  /** A signed Security Event Token. */
  readonly jws: string;
  /** Seconds since the epoch: from then on it can concern nobody; absent: never. */
  readonly until?: number;
}

/** A place in a feed. `jws` is gone once `until` is over. */
export interface FeedRow {
  readonly seq: number;
  readonly jws?: string;
  /** SHA-256 of the JWS, base64url. */
  readonly digest: string;
  readonly until?: number;
}

/** What a read answers: what follows a place, or the beginning of it, and the head after that. */
export interface FeedPage {
  readonly rows: readonly FeedRow[];
  readonly head: FeedHead;
}

/** An append-only stream of cuts, linked by hash. Whoever reads it trusts nothing of it but the signatures. */
export interface Feed {
  /** Durable when it resolves; the same cut a second time changes nothing. Rejects with `store_failed`. */
  append(cut: NewCut): Promise<void>;
  /** Nothing but the head where nothing follows: until then there may be more. Rejects with `store_failed`. */
  read(after: number): Promise<FeedPage>;
  /** Calls `wake` whenever there may be something new. Answers with what ends that. */
  watch(wake: () => void): () => void;
  /** Empties what is over, so that nothing of it can be read any more. */
  sweep?(): Promise<void>;
  close(): Promise<void>;
}

/** The head after one more row. */
export function headAfter(
  { seq, hash }: FeedHead,
  { digest, until }: Pick<FeedRow, "digest" | "until">,
): FeedHead {
  return { seq: seq + 1, hash: sha256Text(JSON.stringify([hash, digest, until ?? null])) };
}

/** Everything that is in a feed, read to its end. `now`: seconds. Throws `store_mismatch`, `store_failed`. */
export async function* rowsOf(feed: Feed, now: number): AsyncGenerator<FeedRow> {
  for (let at = START; ;) {
    const page = await feed.read(at.seq);
    at = follow(at, page, now);
    if (page.rows.length === 0) return;
    yield* page.rows;
  }
}

/**
 * The head after these rows, which follow `from` without a gap, are at `known` what they were, and add up to the page's
 * head; else throws `store_mismatch`. `now`, seconds: what is gone must have been over.
 */
export function follow(
  from: FeedHead,
  { rows, head }: FeedPage,
  now: number,
  known: FeedHead = from,
): FeedHead {
  let at = from;
  for (const row of rows) {
    if (row.seq !== at.seq + 1) throw broken("a revocation is missing");
    if (row.jws === undefined && !(row.until !== undefined && row.until <= now))
      throw broken("a revocation is gone before its time");
    if (row.jws !== undefined && sha256Text(row.jws) !== row.digest)
      throw broken("a revocation was replaced");
    at = headAfter(at, row);
    if (at.seq === known.seq && at.hash !== known.hash)
      throw broken("the revocations are not the ones that were read before");
  }
  if (at.seq !== head.seq || at.hash !== head.hash)
    throw broken("the revocations do not add up to their head");
  return at;
}

/** What is there is no feed that can be relied on. */
export function broken(what: string): BehestError {
  return new BehestError(
    "store_mismatch",
    `store_mismatch: ${what}. Nothing is permitted. Restore the feed of revocations.`,
  );
}
