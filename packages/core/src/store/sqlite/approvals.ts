import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ApprovalRow, StoredApproval } from "../types.ts";
import { Entries } from "./entries.ts";

/** Actions that wait for persons, and what was decided. Written inside a transaction, read anywhere. */
export class Approvals {
  readonly #db: DatabaseSync;
  readonly #entries: Entries;
  readonly #get: StatementSync;
  readonly #decisions: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#entries = new Entries(db);
    this.#get = db.prepare("SELECT * FROM approval WHERE action = ?");
    this.#decisions = db.prepare("SELECT idx FROM decision WHERE action = ? ORDER BY idx");
  }

  get(action: string): StoredApproval | undefined {
    const row = this.#get.get(action);
    return row && this.#stored(row);
  }

  /** Neither spent nor expired at `now`, in the order of asking. */
  pending(now: number): StoredApproval[] {
    return this.#db
      .prepare(
        "SELECT * FROM approval WHERE spent = 0 AND expires > max(?, (SELECT at FROM head)) ORDER BY idx",
      )
      .all(now)
      .map((row) => this.#stored(row));
  }

  ask({ action, args, principal, session, run, sealed, expires }: ApprovalRow, index: number): void {
    this.#db
      .prepare(
        "INSERT INTO approval (action, args, principal, session, run, sealed, expires, idx, spent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
      )
      .run(action, args, principal, session, run, sealed, expires, index);
  }

  decide(action: string, index: number): void {
    this.#db.prepare("INSERT INTO decision (action, idx) VALUES (?, ?)").run(action, index);
  }

  spend(action: string): void {
    this.#db.prepare("UPDATE approval SET spent = 1 WHERE action = ?").run(action);
  }

  #stored(row: Record<string, unknown>): StoredApproval {
    const { idx, spent, ...rest } = row;
    return {
      ...(rest as unknown as ApprovalRow),
      asked: { index: idx as number, hash: this.#entries.hash(idx as number) },
      spent: spent === 1,
      decisions: this.#decisions
        .all(row["action"] as string)
        .map(({ idx: at }) => ({ index: at as number, hash: this.#entries.hash(at as number) })),
    };
  }
}
