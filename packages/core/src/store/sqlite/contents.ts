import type { DatabaseSync, StatementSync } from "node:sqlite";
import { newPrincipal } from "../principals.ts";
import type { Content, DelegationRow, JournalRow, Principal, PrincipalRow, SeenTool } from "../types.ts";

/** Pieces of content that may lie beside one entry. */
const SLOTS = 64;
/** What lies beside an entry: `slot` from the first to the last of these. */
export const BESIDE = "slot BETWEEN ? AND ?";

export function slotsOf(index: number): [first: number, last: number] {
  return [index * SLOTS, index * SLOTS + SLOTS - 1];
}

const LIVING = "(until IS NULL OR until > ?)";

/** Rows that one sweep removes at most, so that it never holds the lock for long. */
const SWEEP = 10_000;

/** What lies beside the log: sealed content, model turns, delegations, principals, spent ids. Counters are only swept here. All methods run inside a transaction. */
export class Contents {
  readonly #keep: StatementSync;
  readonly #beside: StatementSync;
  readonly #leave: StatementSync;
  readonly #left: StatementSync;
  readonly #turn: StatementSync;
  readonly #journal: StatementSync;
  readonly #forget: StatementSync;
  readonly #delegation: StatementSync;
  readonly #delegations: StatementSync;
  readonly #once: StatementSync;
  readonly #mark: StatementSync;
  readonly #principal: StatementSync;
  readonly #principals: StatementSync;
  readonly #seen: StatementSync;
  readonly #spend: StatementSync;
  readonly #document: StatementSync;
  readonly #cosigned: StatementSync;
  readonly #due: StatementSync;
  readonly #sweeps: readonly StatementSync[];
  readonly #forgets: readonly StatementSync[];
  readonly #advance: StatementSync;

  constructor(db: DatabaseSync) {
    this.#keep = db.prepare(
      "INSERT INTO content (slot, id, principal, sealed, until) VALUES (?, ?, ?, ?, ?)",
    );
    this.#beside = db.prepare(`SELECT sealed FROM content WHERE ${BESIDE} AND id = ? AND ${LIVING}`);
    this.#leave = db.prepare(
      "INSERT OR REPLACE INTO spawned (action, id, principal, sealed, until) VALUES (?, ?, ?, ?, ?)",
    );
    this.#left = db.prepare(`SELECT sealed FROM spawned WHERE action = ? AND id = ? AND ${LIVING}`);
    this.#turn = db.prepare("SELECT idx FROM journal WHERE run = ? AND key = ? AND until > ?");
    this.#journal = db.prepare(
      "INSERT OR REPLACE INTO journal (run, key, sealed, principal, until, idx) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#forget = db.prepare("DELETE FROM journal WHERE run = ?");
    this.#delegation = db.prepare(`
      SELECT leaf, request, principal, idx FROM delegation WHERE leaf = ?
      UNION ALL SELECT leaf, request, principal, idx FROM delegation WHERE jti = ? AND request IS NOT NULL AND ?
      LIMIT 1`);
    this.#delegations = db.prepare(
      "INSERT INTO delegation (leaf, jti, principal, request, sealed, idx) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#once = db.prepare("SELECT idx FROM once WHERE key = ?");
    this.#mark = db.prepare("INSERT OR REPLACE INTO once (key, idx) VALUES (?, ?)");
    this.#principal = db.prepare("SELECT pseudonym, key FROM principal WHERE issuer = ? AND subject = ?");
    this.#principals = db.prepare(
      "INSERT INTO principal (pseudonym, issuer, subject, key) VALUES (?, ?, ?, ?)",
    );
    this.#seen = db.prepare("INSERT OR REPLACE INTO seen (tool, kind, declared, at) VALUES (?, ?, ?, ?)");
    this.#spend = db.prepare("INSERT INTO spent (id, until) VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#document = db.prepare("INSERT INTO document (digest, text) VALUES (?, ?) ON CONFLICT DO NOTHING");
    this.#cosigned = db.prepare(`
      INSERT INTO cosigned (id, size, note) VALUES (1, ?, ?)
      ON CONFLICT (id) DO UPDATE SET size = excluded.size, note = excluded.note WHERE excluded.size >= size`);
    this.#due = db.prepare(`
      SELECT EXISTS (SELECT 1 FROM content WHERE until <= ?) OR EXISTS (SELECT 1 FROM spawned WHERE until <= ?)
        OR EXISTS (SELECT 1 FROM journal WHERE until <= ?) OR EXISTS (SELECT 1 FROM spent WHERE until <= ?)
        OR EXISTS (SELECT 1 FROM counter WHERE until <= ?) AS due`);
    this.#sweeps = ["content", "spawned", "journal"].map((table) =>
      db.prepare(
        `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE until <= ? LIMIT ${SWEEP})`,
      ),
    );
    this.#forgets = ["spent", "counter"].map((table) =>
      db.prepare(
        `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE until <= ? LIMIT ${SWEEP})`,
      ),
    );
    this.#advance = db.prepare("UPDATE head SET at = ? WHERE at < ?");
  }

  /** `beside`: index of an entry; of a spawn, which has none, the action. */
  keep(content: readonly Content[] = [], beside: number | string): void {
    if (content.length > SLOTS) throw new RangeError(`more than ${SLOTS} pieces of content beside one entry`);
    for (const [i, { id, principal, sealed, until }] of content.entries())
      if (typeof beside === "number")
        this.#keep.run(beside * SLOTS + i, id, principal, sealed, until ?? null);
      else this.#leave.run(beside, id, principal, sealed, until ?? null);
  }

  sealed(id: string, beside: number | string, now: number): Uint8Array | undefined {
    const row =
      typeof beside === "number"
        ? this.#beside.get(...slotsOf(beside), id, now)
        : this.#left.get(beside, id, now);
    return row?.["sealed"] as Uint8Array | undefined;
  }

  /** Index of the entry of a recorded turn. */
  turn(run: string, key: string, now: number): number | undefined {
    return this.#turn.get(run, key, now)?.["idx"] as number | undefined;
  }

  journal({ run, key, sealed, principal, until }: JournalRow, index: number): void {
    this.#journal.run(run, key, sealed, principal, until, index);
  }

  forget(run: string): void {
    this.#forget.run(run);
  }

  /** See `ruleDelegation`. */
  delegation(row: DelegationRow):
    | {
        readonly leaf: string;
        readonly request?: string;
        readonly principal: string;
        readonly index: number;
      }
    | undefined {
    const found = this.#delegation.get(row.leaf, row.jti, row.request === undefined ? 0 : 1);
    if (!found) return undefined;
    const { leaf, request, principal, idx } = found as {
      [name: string]: string;
      leaf: string;
      principal: string;
    } & { request: string | null; idx: number };
    return { leaf, principal, index: idx, ...(request !== null && { request }) };
  }

  delegate({ leaf, jti, principal, request, sealed }: DelegationRow, index: number): void {
    this.#delegations.run(leaf, jti, principal, request ?? null, sealed, index);
  }

  once(key: string): number | undefined {
    return this.#once.get(key)?.["idx"] as number | undefined;
  }

  mark(key: string, index: number): void {
    this.#mark.run(key, index);
  }

  principal(issuer: string, subject: string): PrincipalRow {
    const found = this.#principal.get(issuer, subject);
    if (found) return { pseudonym: found["pseudonym"] as string, key: found["key"] as Uint8Array };
    const row = newPrincipal();
    this.register({ issuer, subject, ...row });
    return row;
  }

  register({ pseudonym, issuer, subject, key }: Principal): void {
    this.#principals.run(pseudonym, issuer, subject, key);
  }

  seen({ tool, kind, declared, at }: SeenTool): void {
    this.#seen.run(tool, kind, declared ? 1 : 0, at);
  }

  spend(id: string, until: number, now: number): boolean {
    return until > now && this.#spend.run(id, until).changes === 1;
  }

  document(digest: string, text: string): void {
    this.#document.run(digest, text);
  }

  cosigned(size: number, note: string): void {
    this.#cosigned.run(size, note);
  }

  isSweepDue(now: number): boolean {
    return this.#due.get(now, now, now, now, now)?.["due"] === 1;
  }

  sweep(now: number): void {
    for (const statement of this.#sweeps) statement.run(now);
    // What is forgotten must stay too old, also for a process that starts after the clock was set back.
    for (const statement of this.#forgets) if (statement.run(now).changes > 0) this.#advance.run(now, now);
  }
}
