import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/** What was cosigned last of a log. */
export interface Latest {
  readonly size: number;
  /** base64url. */
  readonly root: string;
  /** The checkpoint with the log's signature and the cosignature. */
  readonly note: string;
}

/**
 * What a witness has seen, in its folder. A change is on disk when {@link State.advance} returns, and is made only
 * from what the caller has compared with: of two that compare at once, in one process or in two, one is refused.
 * Never put back an older copy of it: the witness would cosign a fork.
 */
export class State implements Disposable {
  readonly #db: DatabaseSync;
  readonly #latest: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;

  constructor(folder: string) {
    const db = (this.#db = new DatabaseSync(join(folder, "witness.db"), { timeout: 5000 }));
    // The journal's removal is the commit: EXTRA syncs the folder after it, too.
    db.exec(`
      PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;
      CREATE TABLE IF NOT EXISTS latest (
        origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root TEXT NOT NULL, note TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `);
    this.#latest = db.prepare("SELECT size, root, note FROM latest WHERE origin = ?");
    this.#insert = db.prepare(
      "INSERT INTO latest (origin, size, root, note) VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO NOTHING",
    );
    this.#update = db.prepare(
      "UPDATE latest SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ? AND root = ?",
    );
  }

  latest(origin: string): Latest | undefined {
    return this.#latest.get(origin) as Latest | undefined;
  }

  /** False, and nothing is changed, where `from` is not what was cosigned last (any more). */
  advance(origin: string, from: Latest | undefined, { size, root, note }: Latest): boolean {
    const { changes } = from
      ? this.#update.run(size, root, note, origin, from.size, from.root)
      : this.#insert.run(origin, size, root, note);
    return changes === 1;
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
