import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BehestError } from "../../error.ts";
import { broken, foreign, mismatch, missing } from "../failure.ts";
import { ADDED, APPLICATION_ID, SCHEMA, VERSION } from "./schema.ts";

/**
 * Opens the database for writing, and makes it where there is none: its folder for the owner alone, the
 * file too. Refuses what others may read (`store_unsafe`) and what is not ours (`store_foreign`) before
 * changing anything in it. `wait`: how long to wait for another process's lock, ms.
 */
export function openForWriting(path: string, wait: number): DatabaseSync {
  return telling(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
    refuseShared(path);
    const db = new DatabaseSync(path, { timeout: wait });
    try {
      if (isEmpty(db)) create(db, wait);
      else checkOurs(db);
      useWal(db, wait);
      db.exec(`
        ${ADDED}
        PRAGMA synchronous = FULL;
        PRAGMA fullfsync = ON;
        PRAGMA secure_delete = ON;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        PRAGMA cache_size = -32000;
        PRAGMA journal_size_limit = 67108864;
      `);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Opens an existing database for reading alone; `store_missing`, `store_foreign`. */
export function openForReading(path: string, wait: number): DatabaseSync {
  return telling(() => {
    if (!statSync(path, { throwIfNoEntry: false })) throw missing();
    const db = new DatabaseSync(path, { readOnly: true, timeout: wait });
    try {
      if (isEmpty(db)) throw missing();
      checkOurs(db);
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** Which file a path leads to; a restored copy is another one. Undefined when it is gone. */
export function fileAt(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && `${stat.dev}:${stat.ino}`;
}

export function isEmptyAt(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

export function refuseShared(path: string): void {
  // Windows has no such bits; there the folder's own rights count.
  if (process.platform === "win32" || (statSync(path).mode & 0o077) === 0) return;
  const message =
    "store_unsafe: other users may open the database. Run chmod 600 on it and on the files beside it.";
  throw new BehestError("store_unsafe", message);
}

function isEmpty(db: DatabaseSync): boolean {
  const { objects } = db.prepare("SELECT count(*) AS objects FROM sqlite_schema").get() as {
    objects: number;
  };
  return objects === 0 && pragma(db, "application_id") === 0;
}

function checkOurs(db: DatabaseSync): void {
  if (pragma(db, "application_id") !== APPLICATION_ID) throw foreign("is another program's database");
  if (pragma(db, "user_version") !== VERSION) throw foreign("was made by another version of Behest");
}

function create(db: DatabaseSync, wait: number): void {
  useWal(db, wait);
  db.exec("BEGIN IMMEDIATE");
  // Another process may have been first.
  if (isEmpty(db))
    db.exec(`${SCHEMA}; PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
  db.exec("COMMIT");
  checkOurs(db);
}

/** SQLite does not wait for the lock that this takes, so we do. */
export function useWal(db: DatabaseSync, wait: number): void {
  for (const end = Date.now() + wait; ;) {
    try {
      if (pragma(db, "journal_mode = WAL") === "wal") return;
      throw new Error("this file system has no shared memory for SQLite's WAL");
    } catch (error) {
      if (!isBusy(error) || Date.now() > end) throw error;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

/**
 * Moves all of the journal into the database and empties its file. False where somebody reads or writes now: whoever
 * waits for that keeps everybody else from writing, so it is not waited for longer than this.
 */
export function isTruncated(db: DatabaseSync): boolean {
  const wait = pragma(db, "busy_timeout") as number;
  db.exec(`PRAGMA busy_timeout = ${Math.min(wait, PATIENCE)}`);
  try {
    const { busy } = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
    return busy === 0;
  } finally {
    db.exec(`PRAGMA busy_timeout = ${wait}`);
  }
}

/** ms. */
const PATIENCE = 100;

function pragma(db: DatabaseSync, text: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${text}`).get() ?? {})[0];
}

/** SQLite's primary result code; undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === 5;
}

/** Runs `act`; SQLite's and the file system's complaints become one of ours. */
export function telling<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw told(error);
  }
}

/** SQLite's and the file system's complaint as one of ours. */
export function told(error: unknown): BehestError {
  if (BehestError.isInstance(error)) return error;
  switch (resultCode(error)) {
    case 5:
      return new BehestError(
        "store_failed",
        "store_failed: another process keeps the database locked. End it, or try again.",
        { cause: error },
      );
    case 11:
      return mismatch("the database is damaged", error);
    case 26:
      return foreign("is no database");
    default:
      return broken("the database cannot be used", error);
  }
}
