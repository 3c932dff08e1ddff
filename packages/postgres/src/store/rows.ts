/** What a column holds. */
export type Value = string | number | boolean | Uint8Array | null | undefined;

/** What PostgreSQL does not hold as it is: it would refuse it, or store something else. */
function isUnfit(value: unknown): boolean {
  if (typeof value === "string") return value.includes("\0") || !value.isWellFormed();
  return typeof value === "number" && !Number.isSafeInteger(value);
}

/**
 * Rows of one table, as a transaction has found them and as it is to leave them. What one request changes is tried
 * first, and is then kept or undone.
 */
export class Rows<R extends object> {
  readonly #found: ReadonlyMap<string, R>;
  readonly #kept = new Map<string, R | undefined>();
  readonly #tried = new Map<string, R | undefined>();

  constructor(found: Iterable<readonly [string, R]> = []) {
    this.#found = new Map(found);
  }

  get(key: string): R | undefined {
    for (const rows of [this.#tried, this.#kept, this.#found]) if (rows.has(key)) return rows.get(key);
    return undefined;
  }

  /** Throws what only this request has to answer for. */
  set(key: string, row: R): void {
    if (Object.values(row).some(isUnfit)) throw new RangeError("a value that the database cannot hold");
    this.#tried.set(key, row);
  }

  /** As {@link set}; one that is there already is a fault. */
  add(key: string, row: R): void {
    if (this.get(key)) throw new RangeError("a row that is there already");
    this.set(key, row);
  }

  /** Those that match are not there any more, as far as this transaction has seen them. */
  drop(matches: (row: R) => boolean): void {
    for (const rows of [this.#found, this.#kept, new Map(this.#tried)])
      for (const [key, row] of rows) if (row && matches(row)) this.#tried.set(key, undefined);
  }

  keep(): void {
    for (const [key, row] of this.#tried) this.#kept.set(key, row);
    this.#tried.clear();
  }

  undo(): void {
    this.#tried.clear();
  }

  /** As they are to be stored. */
  get changed(): readonly R[] {
    return [...this.#kept.values()].filter((row) => row !== undefined);
  }
}
