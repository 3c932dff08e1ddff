import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  ACCESS,
  ERASED,
  type Erasable,
  type Erase,
  type EraseResult,
  HOLD,
  RELEASE,
  erased,
  ruleErase,
} from "../erasure.ts";
import { PRUNED } from "../pruning.ts";
import type { Draft, Placed } from "../types.ts";
import type { Entries } from "./entries.ts";

type Refused = Extract<EraseResult, { erased: "refused" }>;
type Erased = { -readonly [K in keyof Exclude<EraseResult, Refused>]: Exclude<EraseResult, Refused>[K] };

/** Rows of a principal that are of no use without its key. */
const GONE = ["content", "spawned", "journal"];
/** Rows that stay, for what they say of the log; what is sealed in them goes. */
const EMPTIED = [
  ["delegation", "sealed"],
  ["approval", "sealed"],
  ["record", "agent"],
];

/** What the database knows of a principal, and what is left of it afterwards. All methods run inside a transaction. */
export class Erasing {
  readonly #db: DatabaseSync;
  readonly #entries: Entries;
  readonly #erased: StatementSync;

  constructor(db: DatabaseSync, entries: Entries) {
    this.#db = db;
    this.#entries = entries;
    this.#erased = db.prepare("SELECT 1 FROM once WHERE key = ?");
  }

  isErased(principal: string): boolean {
    return this.#erased.get(ERASED + principal) !== undefined;
  }

  /** Throws `principal_erased`. */
  refuse(principal: string | undefined): void {
    if (principal !== undefined && this.isErased(principal)) throw erased();
  }

  /** Whether anything was ever destroyed. */
  get any(): boolean {
    return [ERASED, PRUNED].some((prefix) => keysIn(this.#db, prefix).length > 0);
  }

  /** See `Engine.erase`; its journal is not emptied here. `place`: appends an entry. */
  erase(request: Erase, now: number, place: (draft: Draft) => Placed): Erased | Refused {
    const { principals } = request;
    const ruling = ruleErase(request, this.#of(principals, now));
    if ("erased" in ruling) return ruling;
    const placed = place(ruling.entry);
    for (const principal of principals) this.#destroy(principal, placed.index);
    return { erased: "done", placed, early: ruling.early, swept: false };
  }

  #of(principals: readonly string[], now: number): Erasable {
    const known = this.#db.prepare("SELECT 1 FROM principal WHERE pseudonym = ?");
    return {
      isKnown: (pseudonym) => known.get(pseudonym) !== undefined,
      holds: holdsIn(this.#db, this.#entries).map((index) => this.#entries.range(index, 1)[0]!),
      latest: () => {
        const places = principals.flatMap((principal) => this.#latest(principal) ?? []);
        return places.length === 0 ? undefined : this.#entries.range(Math.max(...places), 1)[0];
      },
      recorded: () => {
        const last = this.#db.prepare("SELECT max(at) AS at FROM record WHERE principal = ?");
        return Math.max(0, ...principals.map((one) => (last.get(one)?.["at"] as number | null) ?? 0));
      },
      now,
    };
  }

  /** `index`: of the entry that says so. */
  #destroy(principal: string, index: number): void {
    const run = (sql: string): void => void this.#db.prepare(sql).run(principal);
    run("DELETE FROM principal WHERE pseudonym = ?");
    for (const table of GONE) run(`DELETE FROM ${table} WHERE principal = ?`);
    for (const [table, column] of EMPTIED)
      run(`UPDATE ${table} SET ${column} = zeroblob(0) WHERE principal = ?`);
    this.#forgetCounters(principal);
    this.#db.prepare("INSERT INTO once (key, idx) VALUES (?, ?)").run(ERASED + principal, index);
  }

  /** What an action has spent would tell its amount. Nothing more is spent from these: their tokens are not opened again. */
  #forgetCounters(principal: string): void {
    const charged = this.#db
      .prepare(
        "SELECT id, charged FROM action WHERE charged IS NOT NULL AND id IN (SELECT action FROM record WHERE principal = ?)",
      )
      .all(principal);
    const counter = this.#db.prepare("DELETE FROM counter WHERE id = ?");
    const action = this.#db.prepare("UPDATE action SET charged = NULL WHERE id = ?");
    for (const row of charged) {
      for (const id of (row["charged"] as string).split(" ")) counter.run(id);
      action.run(row["id"]!);
    }
  }

  /** Index of the latest entry that is known to be of this principal. */
  #latest(principal: string): number | undefined {
    const { last } = this.#db
      .prepare(`
        SELECT max(at) AS last FROM (
          SELECT max(max(idx, ifnull(ended, 0), ifnull(interaction, 0))) AS at FROM record WHERE principal = $who
          UNION ALL SELECT max(idx) FROM delegation WHERE principal = $who
          UNION ALL SELECT max(slot) / 64 FROM content WHERE principal = $who
          UNION ALL SELECT max(idx) FROM journal WHERE principal = $who
          UNION ALL SELECT max(idx) FROM approval WHERE principal = $who
          UNION ALL SELECT max(decision.idx) FROM decision, approval WHERE approval = id AND principal = $who
          UNION ALL SELECT max(idx) FROM once WHERE key > $reads || ':' AND key < $reads || ';'
        )`)
      .get({ $who: principal, $reads: ACCESS + principal }) as { last: number | null };
    return last ?? undefined;
  }
}

function keysIn(db: DatabaseSync, prefix: string): number[] {
  const rows = db
    .prepare("SELECT idx FROM once WHERE key > ? AND key < ?")
    .all(prefix, prefix.replace(/:$/, ";"));
  return rows.map(({ idx }) => idx as number);
}

/** Indexes of those that nobody has released. */
export function holdsIn(db: DatabaseSync, entries: Entries): number[] {
  const released = db.prepare("SELECT 1 FROM once WHERE key = ?");
  return keysIn(db, HOLD).filter((index) => released.get(RELEASE + entries.hash(index)) === undefined);
}
