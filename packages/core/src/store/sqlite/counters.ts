import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Held } from "../charges.ts";
import type { Charge } from "../types.ts";

/** What was charged so far. All methods run inside a transaction. */
export class Counters {
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #put: StatementSync;

  constructor(db: DatabaseSync) {
    this.#get = db.prepare("SELECT held FROM counter WHERE id = ?");
    // Where its time stays, its index does: one page less to write.
    this.#set = db.prepare("UPDATE counter SET held = ? WHERE id = ? AND until >= ?");
    this.#put = db.prepare(`
      INSERT INTO counter (id, held, until) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET held = excluded.held, until = excluded.until`);
  }

  readonly read = (counter: string): string | undefined =>
    this.#get.get(counter)?.["held"] as string | undefined;

  write(charges: readonly Charge[], held: Held): void {
    for (const { counter, until } of charges) {
      const value = held.get(counter);
      if (value !== undefined && this.#set.run(value, counter, until).changes === 0)
        this.#put.run(counter, value, until);
    }
  }
}
