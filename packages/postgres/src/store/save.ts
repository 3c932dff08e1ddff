import type { StoredApproval } from "@behest/core/store";
import type { Client } from "pg";
import { MINE } from "../tenant.ts";
import { destroy } from "./erasing.ts";
import { empty } from "./pruning.ts";
import type { Value } from "./rows.ts";
import type { Work } from "./work.ts";

/** Columns of a table that are written, with their types; the tenant is the connection's. */
export type Columns = readonly (readonly [name: string, type: string])[];

/** From their names and types, as SQL lists them. */
export function columnsOf(text: string): Columns {
  return text.split(", ").map((column) => column.split(" ") as [string, string]);
}

interface Saved {
  readonly table: string;
  readonly columns: Columns;
  /** The key whose row is replaced where there is one. */
  readonly replaces?: string;
  rows(work: Work): readonly object[];
}

const SEALED = "id text, principal text, sealed bytea, until bigint";

/** What is written, by table. */
export const SAVED: readonly Saved[] = [
  {
    table: "entry",
    columns: columnsOf("idx bigint, nodes bytea, jws text"),
    rows: (work) => work.entries,
  },
  {
    table: "action",
    columns: columnsOf(
      "id text, args text, given text, attempt bigint, repeatable boolean, lease text, entry bigint, ended bigint, outcome text, code text, result text, charged text",
    ),
    replaces: "id",
    rows: (work) => work.found.actions.changed,
  },
  {
    table: "record",
    columns: columnsOf(
      "idx bigint, action text, attempt bigint, session text, principal text, delegation text, tool text, verdict text, code text, at bigint, agent bytea, interaction bigint, outcome text, ended bigint",
    ),
    rows: (work) => work.records.changed,
  },
  {
    table: "once",
    columns: columnsOf("key text, idx bigint"),
    replaces: "key",
    rows: (work) => work.found.once.changed,
  },
  {
    table: "delegation",
    columns: columnsOf("leaf text, jti text, principal text, request text, sealed bytea, idx bigint"),
    rows: (work) => work.found.delegations.changed,
  },
  {
    table: "content",
    columns: columnsOf(`idx bigint, place bigint, ${SEALED}`),
    rows: (work) => work.contents.changed,
  },
  {
    table: "spawned",
    columns: columnsOf(`action text, ${SEALED}`),
    replaces: "action, id",
    rows: (work) => work.spawned.changed,
  },
  {
    table: "counter",
    columns: columnsOf("id text, held text, until bigint"),
    replaces: "id",
    rows: (work) => work.found.counters.changed,
  },
  {
    table: "journal",
    columns: columnsOf("run text, key text, sealed bytea, principal text, until bigint, idx bigint"),
    replaces: "run, key",
    rows: (work) => work.found.turns.changed,
  },
  {
    table: "principal",
    columns: columnsOf("pseudonym text, issuer text, subject text, key bytea"),
    rows: (work) => work.found.principals.changed,
  },
  {
    table: "approval",
    columns: columnsOf(
      "id text, kind text, args text, principal text, run text, sealed bytea, expires bigint, idx bigint, spent boolean",
    ),
    replaces: "id",
    rows: (work) => work.found.approvals.changed.map(approvalRow),
  },
  {
    table: "decision",
    columns: columnsOf("approval text, idx bigint"),
    rows: (work) => work.decisions.changed,
  },
  { table: "spent", columns: columnsOf("id text, until bigint"), rows: (work) => work.found.spent.changed },
  {
    table: "document",
    columns: columnsOf("digest text, text text"),
    rows: (work) => work.found.documents.changed,
  },
  {
    table: "cosigned",
    columns: columnsOf("size bigint, note text"),
    replaces: "",
    rows: (work) => work.found.cosigned.changed,
  },
  {
    table: "seen",
    columns: columnsOf("tool text, kind text, declared boolean, at bigint"),
    replaces: "tool, kind",
    rows: (work) => work.seen.changed,
  },
];

/** This process's lease, and how many transactions it has committed with this one; the head, where entries were added. */
export interface End {
  readonly lease: { readonly id: string; readonly expires: number; readonly batch: number };
  readonly head?: {
    readonly origin: string;
    readonly checkpoint: string;
    readonly certificate: number;
    readonly manifest: number;
    readonly at: number;
  };
}

const LEASE: Columns = columnsOf("id text, expires bigint, batch bigint");
export const HEAD: Columns = columnsOf(
  "origin text, checkpoint text, certificate bigint, manifest bigint, at bigint",
);
const OUTCOMES = `UPDATE behest_record r SET outcome = n.outcome, ended = n.ended
  FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS n (idx, outcome, ended) 
  WHERE r.${MINE} AND r.idx = n.idx AND r.idx = ANY($1)`;

/** Stores all of it: as many round trips as there are kinds of statements, which is one for most. */
export async function save(client: Client, work: Work, { lease, head }: End): Promise<void> {
  if (work.forgotten.size > 0)
    await client.query(`DELETE FROM behest_journal WHERE ${MINE} AND run = ANY($1::text[])`, [
      [...work.forgotten],
    ]);
  if (work.erased.length > 0) await destroy(client, work.erased);
  if (work.pruned) await empty(client, work.pruned);
  const outcomes = work.outcomes.changed;
  const parts = SAVED.map((saved, i) => ({ ...saved, i, rows: saved.rows(work) })).filter(
    ({ rows }) => rows.length > 0,
  );
  const values: Value[][] = [];
  const use = (rows: readonly object[], columns: Columns): number => {
    const from = values.length;
    for (const [column] of columns)
      values.push(rows.map((row) => (row as Record<string, Value>)[column] ?? null));
    return from;
  };
  const statements = parts.map(({ table, columns, replaces, rows }) =>
    insert(table, columns, replaces, use(rows, columns)),
  );
  statements.push(insert("lease", LEASE, "id", use([lease], LEASE)));
  if (head) statements.push(insert("head", HEAD, "", use([head], HEAD)));
  const text = `WITH ${statements.map((each, i) => `s${i} AS (${each})`).join(", ")} SELECT`;
  // One prepared statement for each set of tables: there are few that come together.
  const name = `save ${[...parts.map(({ i }) => i), head ? "head" : ""].join(" ")}`;
  await client.query({ name, text, values });
  if (outcomes.length > 0) {
    const from = ["idx", "outcome", "ended"].map((column) =>
      outcomes.map((row) => (row as Record<string, Value>)[column] ?? null),
    );
    await client.query({ name: "outcomes", text: OUTCOMES, values: from });
  }
}

/** Rows whose columns are the parameters from `from` on, an array each. */
export function insert(table: string, columns: Columns, replaces: string | undefined, from: number): string {
  const names = columns.map(([name]) => name);
  const arrays = columns.map(([, type], i) => `$${from + i + 1}::${type}[]`);
  const set = names.map((name) => `${name} = excluded.${name}`).join(", ");
  const key = ["tenant", ...(replaces ? [replaces] : [])].join(", ");
  const conflict = replaces === undefined ? "" : ` ON CONFLICT (${key}) DO UPDATE SET ${set}`;
  return `INSERT INTO behest_${table} (${names.join(", ")}) SELECT * FROM unnest(${arrays.join(", ")})${conflict}`;
}

function approvalRow({ asked, ...row }: StoredApproval): object {
  return { ...row, idx: asked.index };
}
