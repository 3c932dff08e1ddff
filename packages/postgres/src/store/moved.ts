import type { DumpRow } from "@behest/core/store";
import { type Columns, HEAD, SAVED, columnsOf } from "./save.ts";

/** How the rows of a table of a SQLite store become rows of the table of the same name here. */
export interface Moved {
  readonly columns: Columns;
  row(row: DumpRow): object;
}

/** Pieces of content beside one entry, in the slots of SQLite. */
const SLOTS = 64;

const CUT = columnsOf("seq bigint, jws text, digest text, until bigint, hash text");

const CHANGED: { readonly [table: string]: (row: DumpRow) => object } = {
  // Its process is gone; whoever attaches next closes what it left.
  action: ({ repeatable, lease, ...row }) => ({
    ...row,
    repeatable: repeatable === 1,
    lease: `sqlite ${lease}`,
  }),
  approval: ({ spent, ...row }) => ({ ...row, spent: spent === 1 }),
  content: ({ slot, ...row }) => ({
    ...row,
    idx: Math.floor((slot as number) / SLOTS),
    place: (slot as number) % SLOTS,
  }),
  seen: ({ declared, ...row }) => ({ ...row, declared: declared === 1 }),
};

/** By table. */
export const MOVED: ReadonlyMap<string, Moved> = new Map(
  [...SAVED, { table: "head", columns: HEAD }, { table: "cut", columns: CUT }].map(({ table, columns }) => [
    table,
    { columns, row: CHANGED[table] ?? ((row: DumpRow) => row) },
  ]),
);
