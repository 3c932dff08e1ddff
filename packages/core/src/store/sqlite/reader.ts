import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { OutcomeWord } from "@behest/provenance";
import { missing } from "../failure.ts";
import type {
  Content,
  DelegationRow,
  Principal,
  PrincipalRow,
  RecordFilter,
  RecordRow,
  SeenTool,
  StoredDelegation,
  StoredRecord,
  Subtree,
} from "../types.ts";
import { Approvals } from "./approvals.ts";
import { BESIDE, slotsOf } from "./contents.ts";
import { Entries } from "./entries.ts";
import { openForReading } from "./file.ts";

type Row = Record<string, unknown>;

/** Rows that have an end are gone at it, whether swept yet or not, by the store's time. */
const LIVING = "until > max(?, (SELECT at FROM head))";

/** Reads what is committed, on a connection that cannot write. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #entries: Entries;
  readonly #principal: StatementSync;
  readonly #subject: StatementSync;
  readonly #jti: StatementSync;
  readonly #leaf: StatementSync;
  readonly #turn: StatementSync;
  readonly #content: StatementSync;
  readonly #begun: StatementSync;
  readonly #held: StatementSync;
  #approvals: Approvals | undefined;

  constructor(path: string, wait: number) {
    const db = (this.#db = openForReading(path, wait));
    this.#entries = new Entries(db);
    this.#principal = db.prepare("SELECT pseudonym, key FROM principal WHERE issuer = ? AND subject = ?");
    this.#subject = db.prepare("SELECT issuer, subject, key FROM principal WHERE pseudonym = ?");
    // A spawned one first: only its jti is nobody else's.
    this.#jti = db.prepare("SELECT * FROM delegation WHERE jti = ? ORDER BY request IS NULL, idx LIMIT 1");
    this.#leaf = db.prepare("SELECT * FROM delegation WHERE leaf = ?");
    this.#turn = db.prepare(`SELECT sealed, idx FROM journal WHERE run = ? AND key = ? AND ${LIVING}`);
    this.#begun = db.prepare("SELECT 1 FROM action WHERE id = ?");
    this.#held = db.prepare("SELECT held FROM counter WHERE id = ?");
    this.#content = db.prepare(
      `SELECT id, principal, sealed, until FROM content WHERE ${BESIDE} AND (until IS NULL OR ${LIVING})`,
    );
  }

  principal(issuer: string, subject: string): PrincipalRow | undefined {
    const row = this.#principal.get(issuer, subject);
    return row && { pseudonym: row["pseudonym"] as string, key: row["key"] as Uint8Array };
  }

  subject(pseudonym: string): Omit<Principal, "pseudonym"> | undefined {
    const row = this.#subject.get(pseudonym);
    return (
      row && {
        issuer: row["issuer"] as string,
        subject: row["subject"] as string,
        key: row["key"] as Uint8Array,
      }
    );
  }

  named(subject: string): Pick<Principal, "pseudonym" | "issuer">[] {
    const rows = this.#db.prepare("SELECT pseudonym, issuer FROM principal WHERE subject = ?").all(subject);
    return rows.map((row) => ({ pseudonym: row["pseudonym"] as string, issuer: row["issuer"] as string }));
  }

  delegation(by: "jti" | "leaf", value: string): StoredDelegation | undefined {
    const row: Row | undefined = (by === "jti" ? this.#jti : this.#leaf).get(value);
    if (!row) return undefined;
    const { leaf, jti, principal, request, sealed, idx } = row as unknown as DelegationRow & {
      idx: number;
      request: string | null;
    };
    const hash = this.#entries.hash(idx);
    return { leaf, jti, principal, sealed, index: idx, hash, ...(request !== null && { request }) };
  }

  delegations(): DelegationRow[] {
    const rows = this.#db.prepare("SELECT leaf, jti, principal, sealed FROM delegation ORDER BY idx").all();
    return rows as unknown as DelegationRow[];
  }

  recall(
    run: string,
    key: string,
  ): { readonly sealed: Uint8Array; readonly index: number; readonly hash: string } | undefined {
    const row = this.#turn.get(run, key, Date.now());
    if (!row) return undefined;
    const index = row["idx"] as number;
    return { sealed: row["sealed"] as Uint8Array, index, hash: this.#entries.hash(index) };
  }

  recallable(before: number): number[] {
    const rows = this.#db
      .prepare(`SELECT idx FROM journal WHERE idx < ? AND ${LIVING}`)
      .all(before, Date.now());
    return rows.map(({ idx }) => idx as number);
  }

  recorded(prefix: string): number[] {
    const rows = this.#db
      .prepare("SELECT idx FROM once WHERE substr(key, 1, ?) = ?")
      .all(prefix.length, prefix);
    return rows.map(({ idx }) => idx as number);
  }

  get approvals(): Approvals {
    return (this.#approvals ??= new Approvals(this.#db));
  }

  hasBegun(action: string): boolean {
    return this.#begun.get(action) !== undefined;
  }

  held(counter: string): string {
    return (this.#held.get(counter)?.["held"] as string | undefined) ?? "0";
  }

  content(index: number): Content[] {
    return this.#content.all(...slotsOf(index), Date.now()).map((row) => {
      const { until, ...rest } = row as unknown as Content & { until: number | null };
      return { ...rest, ...(until !== null && { until }) };
    });
  }

  coverage(): SeenTool[] {
    const rows = this.#db.prepare("SELECT tool, kind, declared, at FROM seen ORDER BY tool, kind").all();
    return rows.map(
      ({ tool, kind, declared, at }) => ({ tool, kind, declared: declared === 1, at }) as SeenTool,
    );
  }

  entries(from: number, limit: number): string[] {
    return this.#entries.range(from, limit);
  }

  subtrees(places: readonly Subtree[]): Uint8Array[] {
    return places.map(({ level, index }) => this.#entries.subtree(level, index));
  }

  document(digest: string): string | undefined {
    const row = this.#db.prepare("SELECT text FROM document WHERE digest = ?").get(digest);
    return row?.["text"] as string | undefined;
  }

  /** A database from before there were any has no such table. */
  cosigned(): string | undefined {
    const table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'cosigned'";
    if (!this.#db.prepare(table).get()) return undefined;
    return this.#db.prepare("SELECT note FROM cosigned").get()?.["note"] as string | undefined;
  }

  /** The manifest in force, as its owner signed it. */
  manifest(): string {
    const head = this.#entries.head();
    if (!head) throw missing();
    return this.#entries.trustAt(head.manifest).manifest ?? "";
  }

  checkpoint(): string {
    const head = this.#entries.head();
    if (!head) throw missing();
    return head.checkpoint;
  }

  /** Newest first in the query, so that a limit keeps those; in log order in the answer. */
  records(filter: RecordFilter): StoredRecord[] {
    const { index, action, session, principal, tool, verdict, since, until, limit } = filter;
    const terms: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (term: string, ...given: (string | number | undefined)[]): void => {
      if (given[0] === undefined) return;
      terms.push(term);
      values.push(...(given as SQLInputValue[]));
    };
    // "/" comes after "." and nothing between: all ids that begin with this one and a dot.
    where("(session = ? OR session > ? || '.' AND session < ? || '/')", session, session, session);
    where("idx = ?", index);
    where("action = ?", action);
    where("principal = ?", principal);
    where("tool = ?", tool);
    where("verdict = ?", verdict);
    where("at >= ?", since);
    where("at <= ?", until);
    const rows = this.#db.prepare(
      `SELECT * FROM record ${terms.length > 0 ? `WHERE ${terms.join(" AND ")}` : ""} ORDER BY idx DESC LIMIT ?`,
    );
    return rows
      .all(...values, limit ?? -1)
      .map(storedRecord)
      .toReversed();
  }

  close(): void {
    this.#db.close();
  }
}

function storedRecord(row: Row): StoredRecord {
  const { idx, delegation, interaction, outcome, ended, ...rest } = row;
  return {
    ...(rest as unknown as RecordRow),
    index: idx as number,
    ...(delegation !== null && { delegation: delegation as string }),
    ...(interaction !== null && { interaction: interaction as number }),
    ...(outcome !== null && { outcome: outcome as OutcomeWord }),
    ...(ended !== null && { ended: ended as number }),
  };
}
