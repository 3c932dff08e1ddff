import { DatabaseSync } from "node:sqlite";
import { BehestError } from "../../error.ts";
import { Entries } from "./entries.ts";
import { feedPath } from "./feed.ts";
import { fileAt, openForReading, telling } from "./file.ts";
import { isLiving } from "./lease.ts";
import { readSidecar } from "./sidecar.ts";

export type DumpRow = Readonly<Record<string, string | number | Uint8Array | null>>;

/** How long to wait for a process that writes, ms. */
const WAIT = 10_000;
/** What this process is called, and what SQLite keeps for itself. */
const NOT_MOVED: ReadonlySet<string> = new Set(["lease", "sqlite_sequence"]);

/** All rows of a store that no process has open, in one state: for moving it to another kind of store. */
export class Dump {
  readonly #log: DatabaseSync;
  readonly #cuts: DatabaseSync | undefined;

  /**
   * Throws `store_missing`, `store_foreign`; `store_failed` where a process still uses it, `store_mismatch` where the log
   * is no extension of the highest head that was seen in its place.
   */
  constructor(path: string) {
    const witnessed = readSidecar(path);
    this.#log = openForReading(path, WAIT);
    try {
      const cuts = feedPath(path);
      this.#cuts = fileAt(cuts) === undefined ? undefined : new DatabaseSync(cuts, { readOnly: true });
      for (const db of this.#databases) db.exec("BEGIN");
      this.refuseInUse();
      const entries = new Entries(this.#log);
      if (witnessed) entries.extends(witnessed, entries.size());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Names of its tables; `cut` is its feed's. */
  get tables(): readonly string[] {
    const names = this.#databases.flatMap((db) =>
      db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all(),
    );
    return names.map(({ name }) => name as string).filter((name) => !NOT_MOVED.has(name));
  }

  columns(table: string): readonly string[] {
    return this.#of(table)
      .prepare(`SELECT name FROM pragma_table_info(?)`)
      .all(table)
      .map(({ name }) => name as string);
  }

  /** In the order of their keys. */
  rows(table: string): Iterable<DumpRow> {
    return this.#of(table).prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).iterate() as Iterable<DumpRow>;
  }

  /** Throws `store_failed` where a process uses it now, or has done so since it was opened here. */
  refuseInUse(): void {
    telling(() => {
      using now = new DatabaseSync(this.#log.location()!, { readOnly: true, timeout: WAIT });
      const head = "SELECT checkpoint FROM head";
      const moved = now.prepare(head).get()?.["checkpoint"] !== this.#log.prepare(head).get()?.["checkpoint"];
      const leases = now.prepare("SELECT id, owner, expires FROM lease").all();
      if (!moved && !leases.some((row) => isLiving(row as never, Date.now()))) return;
      throw new BehestError(
        "store_failed",
        "store_failed: a process still uses this store. End all of them first: what they write would be lost.",
      );
    });
  }

  close(): void {
    for (const db of this.#databases) if (db.isOpen) db.close();
  }

  get #databases(): readonly DatabaseSync[] {
    return this.#cuts ? [this.#log, this.#cuts] : [this.#log];
  }

  #of(table: string): DatabaseSync {
    if (!this.tables.includes(table)) throw new RangeError("no such table");
    return table === "cut" ? this.#cuts! : this.#log;
  }
}
