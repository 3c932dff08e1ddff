import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { OutcomeWord } from "@behest/provenance";
import type { ActionState } from "../rules.ts";
import type { Begin, RecordRow } from "../types.ts";

/** The latest attempt of an action, as stored. */
export interface ActionRow extends ActionState {
  readonly id: string;
  readonly lease: number;
  /** Index of its action entry; a spawn has none. */
  readonly entry: number | undefined;
  /** Index of its outcome entry. */
  readonly ended: number | undefined;
  /** Content id of the result. */
  readonly result: string | undefined;
}

const COLUMNS = "id, args, given, attempt, repeatable, lease, entry, ended, outcome, code, result, charged";

/** Actions and the records of them that listings read. All methods run inside a transaction. */
export class Actions {
  readonly #get: StatementSync;
  readonly #start: StatementSync;
  readonly #end: StatementSync;
  readonly #running: StatementSync;
  readonly #orphans: StatementSync;
  readonly #record: StatementSync;
  readonly #outcome: StatementSync;

  constructor(db: DatabaseSync) {
    this.#get = db.prepare(`SELECT ${COLUMNS} FROM action WHERE id = ?`);
    this.#start = db.prepare(`
      INSERT INTO action (id, args, given, attempt, repeatable, lease, entry, charged) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET given = excluded.given, attempt = excluded.attempt, repeatable = excluded.repeatable,
        lease = excluded.lease, entry = excluded.entry, ended = NULL, outcome = NULL, code = NULL, result = NULL,
        charged = excluded.charged`);
    this.#end = db.prepare(
      "UPDATE action SET outcome = ?, code = ?, result = ?, ended = ?, charged = ? WHERE id = ?",
    );
    this.#running = db.prepare("SELECT 1 FROM action WHERE outcome IS NULL AND lease = ? LIMIT 1");
    this.#orphans = db.prepare(
      `SELECT ${COLUMNS} FROM action WHERE outcome IS NULL AND lease NOT IN (SELECT id FROM lease) ORDER BY entry`,
    );
    this.#record = db.prepare(`
      INSERT INTO record (idx, action, attempt, session, principal, delegation, tool, verdict, code, at, agent, interaction)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#outcome = db.prepare("UPDATE record SET outcome = ?, ended = ? WHERE idx = ?");
  }

  get(id: string): ActionRow | undefined {
    const row = this.#get.get(id);
    return row && actionRow(row);
  }

  start(request: Begin, at: { lease: number; entry: number | undefined; charged: readonly string[] }): void {
    const { action, args, given, attempt, repeatable } = request;
    this.#start.run(
      action,
      args,
      given ?? null,
      attempt,
      repeatable ? 1 : 0,
      at.lease,
      at.entry ?? null,
      chargedText(at.charged),
    );
  }

  end(
    row: ActionRow,
    end: {
      outcome: OutcomeWord;
      code: string;
      result?: string | undefined;
      ended: number | undefined;
      charged?: readonly string[];
    },
  ): void {
    const { outcome, code, result, ended, charged = row.charged } = end;
    this.#end.run(outcome, code, result ?? null, ended ?? null, chargedText(charged), row.id);
    if (row.entry !== undefined) this.#outcome.run(outcome, ended ?? null, row.entry);
  }

  isRunning(lease: number): boolean {
    return this.#running.get(lease) !== undefined;
  }

  /** Attempts whose lease is gone, in log order. */
  orphans(): ActionRow[] {
    return this.#orphans.all().map(actionRow);
  }

  record(index: number, row: RecordRow): void {
    const { action, attempt, session, principal, delegation, tool, verdict, code, at, agent, interaction } =
      row;
    const known = [index, action, attempt, session, principal, delegation ?? null, tool, verdict, code, at];
    this.#record.run(...known, agent, interaction ?? null);
  }
}

function chargedText(charged: readonly string[]): string | null {
  return charged.length === 0 ? null : charged.join(" ");
}

function actionRow(row: Record<string, unknown>): ActionRow {
  return {
    id: row["id"] as string,
    args: row["args"] as string,
    given: (row["given"] ?? undefined) as string | undefined,
    attempt: row["attempt"] as number,
    repeatable: row["repeatable"] === 1,
    lease: row["lease"] as number,
    entry: (row["entry"] ?? undefined) as number | undefined,
    ended: (row["ended"] ?? undefined) as number | undefined,
    outcome: (row["outcome"] ?? undefined) as OutcomeWord | undefined,
    code: (row["code"] ?? undefined) as string | undefined,
    result: (row["result"] ?? undefined) as string | undefined,
    charged: row["charged"] === null ? [] : (row["charged"] as string).split(" "),
  };
}
