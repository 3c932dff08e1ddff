import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ApprovalRow, StoredApproval } from "../types.ts";
import { Entries } from "./entries.ts";

/** What waits for persons, what they have signed ahead, and what was decided. Written inside a transaction, read anywhere. */
export class Approvals {
  readonly #db: DatabaseSync;
  readonly #entries: Entries;
  readonly #get: StatementSync;
  readonly #decisions: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#entries = new Entries(db);
    this.#get = db.prepare("SELECT * FROM approval WHERE id = ?");
    this.#decisions = db.prepare("SELECT idx FROM decision WHERE approval = ? ORDER BY idx");
  }

  get(id: string): StoredApproval | undefined {
    const row = this.#get.get(id);
    return row && this.#stored(row);
  }

  /** Neither spent nor expired at `now`, in the order of asking. */
  pending(now: number): StoredApproval[] {
    return this.#db
      .prepare(
        "SELECT * FROM approval WHERE kind = 'ask' AND spent = 0 AND expires > max(?, (SELECT at FROM head)) ORDER BY idx",
      )
      .all(now)
      .map((row) => this.#stored(row));
  }

  /** All that was asked for in a run, in the order of asking. */
  of(run: string): StoredApproval[] {
    return this.#db
      .prepare("SELECT * FROM approval WHERE run = ? ORDER BY idx")
      .all(run)
      .map((row) => this.#stored(row));
  }

  /** What was signed ahead and expires after `since`, in log order. */
  ahead(since: number, principal: string | undefined): StoredApproval[] {
    return this.#db
      .prepare(
        "SELECT * FROM approval WHERE kind <> 'ask' AND expires > ? AND principal = ifnull(?, principal) ORDER BY idx",
      )
      .all(since, principal ?? null)
      .map((row) => this.#stored(row));
  }

  ask({ id, kind, args, principal, run, sealed, expires }: ApprovalRow, index: number): void {
    this.#db
      .prepare(
        "INSERT INTO approval (id, kind, args, principal, run, sealed, expires, idx, spent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
      )
      .run(id, kind, args, principal, run ?? null, sealed, expires, index);
  }

  decide(id: string, index: number): void {
    this.#db.prepare("INSERT INTO decision (approval, idx) VALUES (?, ?)").run(id, index);
  }

  spend(action: string): void {
    this.#db.prepare("UPDATE approval SET spent = 1 WHERE id = ?").run(action);
  }

  #stored(row: Record<string, unknown>): StoredApproval {
    const { idx, spent, run, ...rest } = row;
    return {
      ...(rest as unknown as Omit<ApprovalRow, "run">),
      ...(run !== null && { run: run as string }),
      asked: { index: idx as number, hash: this.#entries.hash(idx as number) },
      spent: spent === 1,
      decisions: this.#decisions
        .all(row["id"] as string)
        .map(({ idx: at }) => ({ index: at as number, hash: this.#entries.hash(at as number) })),
    };
  }
}
