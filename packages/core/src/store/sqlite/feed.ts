import { type FSWatcher, closeSync, openSync, watch, writeSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { sha256Text } from "@behest/jws";
import {
  type Feed,
  type FeedHead,
  type FeedPage,
  type FeedRow,
  type NewCut,
  START,
  broken,
  headAfter,
} from "../../revocation/feed.ts";
import { fileAt, isTruncated, refuseShared, telling, useWal } from "./file.ts";
import { foreign } from "../failure.ts";

/** "bhsc": see schema.ts. */
const APPLICATION_ID = 0x62687363;

/** Rows of one answer, at most. */
const PAGE = 1_000;

/** Looked for this often, ms, where no wake-up comes. */
const POLL = 1000;

/**
 * Cuts in a file of their own beside the log: a busy log does not delay them. Durable like the log. Whoever appends
 * touches a second file, which all processes of the machine watch.
 */
export class SqliteFeed implements Feed {
  readonly #path: string;
  readonly #db: DatabaseSync;
  /** Which file it was when it was opened. */
  readonly #file: string | undefined;
  readonly #head: StatementSync;
  readonly #known: StatementSync;
  readonly #rows: StatementSync;
  readonly #ends = new Set<() => void>();
  readonly #sweeper: Sweeper;

  /** `wait`: how long to wait for another process's lock, ms. */
  constructor(log: string, wait: number) {
    this.#path = feedPath(log);
    this.#db = telling(() => open(this.#path, wait));
    this.#file = fileAt(this.#path);
    this.#sweeper = new Sweeper(this.#db);
    this.#head = this.#db.prepare("SELECT seq, hash FROM cut ORDER BY seq DESC LIMIT 1");
    this.#known = this.#db.prepare("SELECT 1 FROM cut WHERE digest = ?");
    this.#rows = this.#db.prepare(`SELECT * FROM cut WHERE seq > ? ORDER BY seq LIMIT ${PAGE}`);
  }

  async append({ jws, until }: NewCut): Promise<void> {
    telling(() => {
      refuseReplaced(this.#path, this.#file);
      const digest = sha256Text(jws);
      // Every process on this store carries over the same cuts of a shared feed: most wait for no lock.
      if (this.#known.get(digest)) return;
      this.#db.exec("BEGIN IMMEDIATE");
      try {
        if (!this.#known.get(digest)) {
          const { seq, hash } = headAfter(this.#last(), { digest, ...(until !== undefined && { until }) });
          const values = [seq, jws, digest, until ?? null, hash];
          this.#db
            .prepare("INSERT INTO cut (seq, jws, digest, until, hash) VALUES (?, ?, ?, ?, ?)")
            .run(...values);
          empty(this.#db);
        }
        this.#db.exec("COMMIT");
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
      const file = openSync(wakePath(this.#path), "a", 0o600);
      writeSync(file, ".");
      closeSync(file);
    });
  }

  async read(after: number): Promise<FeedPage> {
    return telling(() => {
      refuseReplaced(this.#path, this.#file);
      this.#db.exec("BEGIN");
      try {
        const rows = this.#rows.all(after) as unknown as Row[];
        const { seq, hash } = rows.at(-1) ?? this.#last();
        return { rows: rows.map(rowOf), head: { seq, hash } };
      } finally {
        this.#db.exec("COMMIT");
      }
    });
  }

  watch(wake: () => void): () => void {
    const path = wakePath(this.#path);
    closeSync(openSync(path, "a", 0o600));
    let watcher: FSWatcher | undefined;
    try {
      watcher = watch(path, { persistent: false }, wake);
      watcher.on("error", () => watcher?.close());
    } catch {
      // A file system without notices: the poll is left.
    }
    const timer = setInterval(wake, POLL).unref();
    const end = (): void => {
      clearInterval(timer);
      watcher?.close();
      this.#ends.delete(end);
    };
    this.#ends.add(end);
    return end;
  }

  async sweep(): Promise<void> {
    telling(() => this.#sweeper.sweep());
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    if (this.#db.isOpen) this.#db.close();
  }

  #last(): FeedHead {
    return (this.#head.get() as FeedHead | undefined) ?? START;
  }
}

/** What the writer's thread asks of the feed inside each transaction that starts something: how far it goes. */
export class FeedEnd {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #file: string | undefined;
  readonly #last: StatementSync;
  readonly #sweeper: Sweeper;

  constructor(log: string, wait: number) {
    this.#path = feedPath(log);
    this.#db = telling(() => open(this.#path, wait));
    this.#file = fileAt(this.#path);
    this.#sweeper = new Sweeper(this.#db);
    this.#last = this.#db.prepare("SELECT max(seq) AS seq FROM cut");
  }

  /** Throws `store_mismatch` where it is no longer the file that was opened. */
  get seq(): number {
    refuseReplaced(this.#path, this.#file);
    return (this.#last.get() as { seq: number | null }).seq ?? 0;
  }

  sweep(): void {
    this.#sweeper.sweep();
  }

  close(): void {
    this.#db.close();
  }
}

/** Takes away what the cuts say that can concern nobody any more. True where there was something. */
function empty(db: DatabaseSync): boolean {
  const now = Math.floor(Date.now() / 1000);
  return db.prepare("UPDATE cut SET jws = NULL WHERE until <= ? AND jws IS NOT NULL").run(now).changes > 0;
}

/** Empties what is over, and the journal in which it still stands. */
class Sweeper {
  readonly #db: DatabaseSync;
  /** Also what was emptied by a process that was killed before it came to the journal. */
  #unswept = true;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  sweep(): void {
    if (empty(this.#db) || this.#unswept) this.#unswept = !isTruncated(this.#db);
  }
}

/** A process that reads another file than the others would know of none of their cuts. */
function refuseReplaced(path: string, file: string | undefined): void {
  if (fileAt(path) !== file) throw broken("the file of revocations was replaced while it was open");
}

/** Reads one signed cut without attaching to anything. */
export function cutIn(log: string, digest: string): string | undefined {
  const path = feedPath(log);
  if (fileAt(path) === undefined) return undefined;
  using db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare("SELECT jws FROM cut WHERE digest = ?").get(digest) as Pick<Row, "jws"> | undefined;
  return row?.jws ?? undefined;
}

export function feedPath(log: string): string {
  return `${log}-cuts`;
}

function wakePath(path: string): string {
  return `${path}-wake`;
}

function open(path: string, wait: number): DatabaseSync {
  closeSync(openSync(path, "a", 0o600));
  refuseShared(path);
  const db = new DatabaseSync(path, { timeout: wait });
  try {
    useWal(db, wait);
    db.exec(
      "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; BEGIN IMMEDIATE",
    );
    const { application_id: id } = db.prepare("PRAGMA application_id").get() as { application_id: number };
    const { objects } = db.prepare("SELECT count(*) AS objects FROM sqlite_schema").get() as {
      objects: number;
    };
    if (objects > 0 && id !== APPLICATION_ID) throw foreign("of revocations is another program's database");
    db.exec(`
      CREATE TABLE IF NOT EXISTS cut (
        seq INTEGER PRIMARY KEY, jws TEXT, digest TEXT NOT NULL UNIQUE, until INTEGER, hash TEXT NOT NULL
      ) STRICT;
      PRAGMA application_id = ${APPLICATION_ID};
      COMMIT;
    `);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

interface Row extends FeedHead {
  readonly jws: string | null;
  readonly digest: string;
  readonly until: number | null;
}

function rowOf({ seq, jws, digest, until }: Row): FeedRow {
  return { seq, digest, ...(jws !== null && { jws }), ...(until !== null && { until }) };
}
