import type { Held } from "./charges.ts";

/** Counters in memory, by name. */
export class MemoryCounters {
  readonly #held = new Map<string, string>();

  readonly read = (counter: string): string | undefined => this.#held.get(counter);

  write(held: Held): void {
    for (const [counter, value] of held) this.#held.set(counter, value);
  }

  delete(counter: string): void {
    this.#held.delete(counter);
  }
}
