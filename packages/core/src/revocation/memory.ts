import { sha256Text } from "@behest/jws";
import {
  type Feed,
  type FeedHead,
  type FeedPage,
  type FeedRow,
  type NewCut,
  START,
  headAfter,
} from "./feed.ts";

/** A feed that ends with its process. */
export class MemoryFeed implements Feed {
  readonly #rows: FeedRow[] = [];
  readonly #known = new Set<string>();
  readonly #wakes = new Set<() => void>();
  #head: FeedHead = START;

  get seq(): number {
    return this.#head.seq;
  }

  async append({ jws, until }: NewCut): Promise<void> {
    const digest = sha256Text(jws);
    if (this.#known.has(digest)) return;
    const row = { seq: this.#head.seq + 1, jws, digest, ...(until !== undefined && { until }) };
    this.#known.add(digest);
    const now = Math.floor(Date.now() / 1000);
    for (const [i, { jws: _, ...rest }] of this.#rows.entries())
      if (rest.until !== undefined && rest.until <= now) this.#rows[i] = rest;
    this.#rows.push(row);
    this.#head = headAfter(this.#head, row);
    for (const wake of this.#wakes) wake();
  }

  cut(digest: string): string | undefined {
    return this.#rows.find((row) => row.digest === digest)?.jws;
  }

  async read(after: number): Promise<FeedPage> {
    return { rows: this.#rows.slice(after), head: this.#head };
  }

  watch(wake: () => void): () => void {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  }

  async close(): Promise<void> {
    this.#wakes.clear();
  }
}
