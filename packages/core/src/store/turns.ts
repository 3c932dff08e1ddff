import type { JournalRow } from "./types.ts";

/** A model turn, and the index of its entry. */
type StoredTurn = JournalRow & { readonly index: number };

/** Model turns of a store in memory. */
export class Turns {
  readonly #runs = new Map<string, Map<string, StoredTurn>>();

  /** One that has not ended at `now`. */
  get(run: string, key: string, now: number): StoredTurn | undefined {
    const row = this.#runs.get(run)?.get(key);
    return row && row.until > now ? row : undefined;
  }

  add(row: JournalRow, index: number): void {
    const run = this.#runs.get(row.run) ?? new Map<string, StoredTurn>();
    this.#runs.set(row.run, run.set(row.key, { ...row, index }));
  }

  /** Indexes of the entries of this principal's turns. */
  of(principal: string): readonly number[] {
    const all = [...this.#runs.values()].flatMap((turns) => [...turns.values()]);
    return all.flatMap((row) => (row.principal === principal ? [row.index] : []));
  }

  /** Indexes of the entries of all that have not ended at `now`. */
  living(now: number): readonly number[] {
    const all = [...this.#runs.values()].flatMap((turns) => [...turns.values()]);
    return all.flatMap((row) => (row.until > now ? [row.index] : []));
  }

  erase(principal: string): void {
    for (const turns of this.#runs.values())
      for (const [key, row] of turns) if (row.principal === principal) turns.delete(key);
  }

  forget(run: string): void {
    this.#runs.delete(run);
  }
}
