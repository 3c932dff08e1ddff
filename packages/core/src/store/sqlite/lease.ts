import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isDead, processName } from "./process.ts";

export interface LeaseRow {
  readonly id: number;
  readonly owner: string | null;
  readonly expires: number;
}

/**
 * This process's claim to the attempts it has started. It holds until its time, or until its process is
 * known to be dead; others may then close those attempts. All methods run inside a transaction.
 */
export class Leases {
  /** Of the lease this process holds. */
  id = 0;
  readonly #length: number;
  readonly #here: string | undefined = processName();
  #renewAt = 0;
  readonly #insert: StatementSync;
  readonly #extend: StatementSync;
  readonly #delete: StatementSync;
  readonly #get: StatementSync;
  readonly #all: StatementSync;

  /** `length`: ms. */
  constructor(db: DatabaseSync, length: number) {
    this.#length = length;
    this.#insert = db.prepare("INSERT INTO lease (owner, expires) VALUES (?, ?)");
    this.#extend = db.prepare("UPDATE lease SET expires = ? WHERE id = ?");
    this.#delete = db.prepare("DELETE FROM lease WHERE id = ?");
    this.#get = db.prepare("SELECT id, owner, expires FROM lease WHERE id = ?");
    this.#all = db.prepare("SELECT id, owner, expires FROM lease");
  }

  isDue(now: number): boolean {
    return now >= this.#renewAt;
  }

  /** Nothing starts under a lease that is over: takes a new one where another process has removed ours. */
  renew(now: number): void {
    const expires = now + this.#length;
    if (this.#extend.run(expires, this.id).changes === 0)
      this.id = Number(this.#insert.run(this.#here ?? null, expires).lastInsertRowid);
    this.#renewAt = now + this.#length / 4;
  }

  /** The transaction that may have renewed it was rolled back. */
  distrust(): void {
    this.#renewAt = 0;
  }

  isLiving(id: number, now: number): boolean {
    if (id === this.id) return true;
    const row = this.#get.get(id) as unknown as LeaseRow | undefined;
    return row !== undefined && holds(row, now, this.#here);
  }

  /** Removes the leases that are over. */
  clear(now: number): void {
    for (const row of this.#all.all() as unknown as LeaseRow[])
      if (row.id !== this.id && !holds(row, now, this.#here)) this.#delete.run(row.id);
  }

  giveBack(): void {
    this.#delete.run(this.id);
  }
}

/** Whether anybody holds this lease now. */
export function isLiving(row: LeaseRow, now: number): boolean {
  return holds(row, now, processName());
}

function holds({ owner, expires }: LeaseRow, now: number, here: string | undefined): boolean {
  return expires > now && !(owner !== null && isDead(owner, here));
}
