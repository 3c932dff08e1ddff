import { BehestError } from "../error.ts";
import { type Feed, type FeedHead, type FeedRow, START, broken, follow } from "./feed.ts";
import { ANSWER, Since, inTime } from "./freshness.ts";

/** What this process has read of a feed: how far, how freshly, and whether it is still what it was. */
export class FeedReader {
  readonly #feed: Feed;
  readonly #now: () => number;
  readonly #take: (rows: readonly FeedRow[]) => Promise<void>;
  /** Digests that have to come. */
  #missing: Set<string> = new Set();
  #head: FeedHead = START;
  #read = new Since();
  #broken = false;
  /** Code of the failure that was told last: each is told once, however long it lasts. */
  #told: string | undefined;
  #reading: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #unwatch: (() => void) | undefined;
  #stopped = false;

  /** `now`: seconds since the epoch. `take`: is handed what comes, once, and may be handed it again where it rejects. */
  constructor(feed: Feed, now: () => number, take: (rows: readonly FeedRow[]) => Promise<void>) {
    this.#feed = feed;
    this.#now = now;
    this.#take = take;
  }

  /** Reads what is there, these digests among it, and follows what comes. Throws `store_mismatch`, `store_failed`. */
  async start(digests: ReadonlySet<string> = new Set()): Promise<void> {
    this.#missing = new Set(digests);
    await this.refresh();
    if (this.#missing.size > 0) throw broken("a revocation that the log has taken in is missing");
    this.#unwatch = this.#feed.watch(() => void this.refresh().catch(() => {}));
  }

  get seq(): number {
    return this.#head.seq;
  }

  /** What was read last is no continuation of what was read before. */
  get broken(): boolean {
    return this.#broken;
  }

  /** ms since a read was sent that has answered since: whatever came before that is known. */
  get age(): number {
    return this.#broken ? Number.POSITIVE_INFINITY : this.#read.ms;
  }

  /** Reads what is new, and is sent after this was called. Rejects with `store_failed`, `store_mismatch`. */
  refresh(): Promise<void> {
    if (!this.#reading) return (this.#reading = this.#follow().finally(() => (this.#reading = undefined)));
    return (this.#next ??= this.#reading
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.refresh();
      }));
  }

  /** The read that is under way, else a fresh one. */
  latest(): Promise<void> {
    return this.#reading ?? this.refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#unwatch?.();
  }

  async #follow(): Promise<void> {
    try {
      await this.#readOn(this.#head).catch((error: unknown) => {
        if (codeOf(error) !== "store_mismatch") throw error;
        // Torn by chance, perhaps: all of it has to contain what was read before.
        this.#broken = true;
        return this.#readOn(START);
      });
      this.#broken = false;
      this.#told = undefined;
    } catch (error) {
      if (!this.#stopped && codeOf(error) !== this.#told) alarm(error);
      this.#told = codeOf(error);
      throw error;
    }
  }

  async #readOn(from: FeedHead): Promise<void> {
    for (let at = from; ;) {
      const asked = Since.now();
      const page = await inTime(this.#feed.read(at.seq), ANSWER);
      at = follow(at, page, this.#now(), this.#head);
      if (page.rows.length === 0) {
        if (at.seq < this.#head.seq) throw broken("revocations that were read before are gone");
        this.#read = asked;
        return;
      }
      for (const { digest } of page.rows) this.#missing.delete(digest);
      await this.#take(page.rows);
      if (at.seq > this.#head.seq) this.#head = at;
    }
  }
}

function codeOf(error: unknown): string {
  return BehestError.isInstance(error) ? error.code : "";
}

/** Somebody tried to revoke what is not theirs, or meddled with what was revoked; or nobody can be asked. */
export function alarm(error: unknown): undefined {
  process.emitWarning((error as Error).message, { code: "BEHEST_REVOCATION" });
}
