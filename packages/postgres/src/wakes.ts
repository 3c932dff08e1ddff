import type { Client } from "pg";
import type { Link } from "./link.ts";

/** The channel that whoever appends notifies. */
export const CHANNEL = "behest_cut";

/** Looked for this often, ms, where no wake-up comes. */
const POLL = 1_000;
/** How often it is made sure that the connection is still there, ms. */
const RENEW = 5_000;
/** How long after a lost connection the next is tried, ms; each time twice as long. */
const SHORTEST = 50;
const LONGEST = 5_000;

/** Wakes who watches: when PostgreSQL says so, after each new connection to it, and every second in any case. */
export class Wakes {
  readonly #link: Link;
  readonly #watchers = new Set<() => void>();
  readonly #wake = (): void => {
    for (const wake of this.#watchers) wake();
  };
  #poll: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;
  #wait = SHORTEST;

  /** `link`: one of its own. */
  constructor(link: Link) {
    this.#link = link;
  }

  watch(wake: () => void): () => void {
    const own = (): void => wake();
    this.#watchers.add(own);
    if (!this.#poll) {
      this.#poll = setInterval(this.#wake, POLL).unref();
      this.#listenIn(0);
    }
    return () => void this.#watchers.delete(own);
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    clearInterval(this.#poll);
    clearTimeout(this.#next);
    await this.#link.close();
  }

  #listenIn(ms: number): void {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => void this.#listen(), ms).unref();
  }

  /** Once more on the same connection changes nothing, and fails where it is dead. */
  async #listen(): Promise<void> {
    try {
      await this.#link.run((client) => this.#listenOn(client));
      this.#wait = SHORTEST;
      this.#listenIn(RENEW);
    } catch {
      // Not all at once, where many have lost the same database.
      this.#listenIn(this.#wait * (0.5 + Math.random()));
      this.#wait = Math.min(this.#wait * 2, LONGEST);
    }
  }

  async #listenOn(client: Client): Promise<void> {
    await client.query(`LISTEN ${CHANNEL}`);
    if (client.listenerCount("notification") > 0) return;
    client.on("notification", this.#wake).once("end", () => this.#listenIn(SHORTEST));
    // What came while nobody listened.
    this.#wake();
  }
}
