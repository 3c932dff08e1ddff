import { BehestError } from "@behest/core";
import {
  Dump,
  type DumpRow,
  type Leaf,
  PRUNED,
  agreed,
  damaged,
  mismatch,
  missing,
} from "@behest/core/store";
import {
  type Frontier,
  appendLeaf,
  entryHash,
  headOf,
  parseEntry,
  parsePayload,
  rootOf,
} from "@behest/provenance";
import { Client } from "pg";
import { configOf } from "../config.ts";
import { failed } from "../failure.ts";
import { MINE } from "../tenant.ts";
import { enter } from "./enter.ts";
import { hello } from "./hello.ts";
import { make } from "./make.ts";
import { MOVED, type Moved } from "./moved.ts";
import { insert } from "./save.ts";
import { type PostgresOptions, checkedTenant } from "./tenants.ts";

/** What was moved. */
export interface Migrated {
  readonly entries: number;
  /** `size:root` of the log, there as here. */
  readonly head: string;
}

/** Rows of one statement: at most so many, and so many bytes. */
const MOST = 1_000;
const BYTES = 4_000_000;
/** How long one statement may take, and the work between two, ms. */
const LONGEST = 60_000;

/**
 * Moves a store from SQLite to an empty one on PostgreSQL, in one transaction: the same entries at the same places under
 * the same checkpoint, and all that lies beside them. Each entry is compared with the tree, and the tree with the
 * checkpoint, on the way and once more where it has arrived. The file stays as it is: nothing may write to it afterwards.
 * Rejects with `store_missing`, `store_foreign` (also of a target that is not empty), `store_mismatch` (also of an
 * older copy of a file beside the head of a newer one), `store_failed` (also where a process still uses the file).
 */
export async function migrateSqlite(
  path: string,
  url: string,
  options: PostgresOptions = {},
): Promise<Migrated> {
  const tenant = checkedTenant(options.tenant);
  const config = {
    ...configOf(url),
    statement_timeout: LONGEST,
    idle_in_transaction_session_timeout: LONGEST,
  };
  const dump = new Dump(path);
  const client = new Client(config);
  client.on("error", () => {});
  try {
    checkKnown(dump);
    await client.connect();
    await hello(client, tenant);
    await make(client);
    const head = await move(dump, client);
    // On the way back, as any process will find it.
    const [row] = [...dump.rows("head")];
    const { stored, row: arrived } = await enter(
      client,
      { size: 0, checkpoint: undefined, lease: "" },
      false,
    );
    const { size, frontier } = agreed(arrived, row!["origin"] as string, stored);
    if (headOf({ size, root: rootOf(frontier) }) !== head)
      throw mismatch("the log has not arrived as it was");
    return { entries: size, head };
  } catch (error) {
    throw failed("the store", error);
  } finally {
    dump.close();
    await client.end().catch(() => {});
  }
}

/** Nothing is left behind because nobody knows it here. */
function checkKnown(dump: Dump): void {
  for (const table of dump.tables) {
    const columns = MOVED.get(table)?.columns.map(([name]) => name);
    const known = new Set([...(columns ?? []), "id", "slot"]);
    if (!columns || dump.columns(table).some((column) => !known.has(column)))
      throw new BehestError(
        "store_foreign",
        "store_foreign: the file has more in it than this version of @behest/postgres knows. Use the same version of all Behest packages.",
      );
  }
}

async function move(dump: Dump, client: Client): Promise<string> {
  const { row, stored } = await enter(client, { size: 0, checkpoint: undefined, lease: "" }, true);
  if (row || stored.size > 0 || !(await isEmpty(client))) throw occupied();
  const tree = new Tree(prunings(dump));
  for (const [table, moved] of MOVED) {
    if (!dump.tables.includes(table) || (table === "cut" && (await hasCuts(client, dump)))) continue;
    for (const rows of groups(dump.rows(table))) {
      if (table === "entry") for (const entry of rows) tree.add(entry);
      await put(client, table, moved, rows);
    }
  }
  tree.finish();
  const [head] = [...dump.rows("head")];
  if (!head) throw missing();
  const { size, frontier } = agreed(head as never, head["origin"] as string, {
    size: tree.size,
    frontierAt: () => tree.frontier,
  });
  dump.refuseInUse();
  await client.query("COMMIT");
  return headOf({ size, root: rootOf(frontier) });
}

/** Indexes of the entries that say what was pruned. */
function prunings(dump: Dump): ReadonlySet<number> {
  const indexes = new Set<number>();
  for (const { key, idx } of dump.rows("once"))
    if ((key as string).startsWith(PRUNED)) indexes.add(idx as number);
  return indexes;
}

/**
 * The tree over the entries as they come; throws `store_mismatch` at the first that is not the stored one. One without
 * its text is taken by its hash, where an entry that comes later says that it was pruned.
 */
class Tree {
  size = 0;
  frontier: Frontier = [];
  readonly #prunings: ReadonlySet<number>;
  readonly #gone = new Set<number>();

  constructor(prunings: ReadonlySet<number>) {
    this.#prunings = prunings;
  }

  add(row: DumpRow): void {
    const jws = row["jws"] as string;
    const stored = row["nodes"] as Uint8Array;
    const hash = jws === "" ? stored.subarray(0, 32) : entryHash(jws);
    const { frontier, nodes } = appendLeaf(this.frontier, this.size, hash);
    const leaf: Leaf["nodes"] = [hash, ...nodes.map((node) => node.hash)];
    if (row["idx"] !== this.size || !Buffer.concat(leaf).equals(stored)) throw damaged(this.size);
    if (jws === "") this.#gone.add(this.size);
    else if (this.#prunings.has(this.size)) this.#account(jws);
    this.frontier = frontier;
    this.size++;
  }

  /** Throws `store_mismatch` where an entry has lost its text and none says so. */
  finish(): void {
    for (const index of this.#gone) throw damaged(index);
  }

  #account(jws: string): void {
    const payload = parsePayload(parseEntry(jws).payload);
    if (payload.type !== "pruning") return;
    for (const [first, last] of payload.ranges)
      for (let index = first; index <= last; index++) this.#gone.delete(index);
  }
}

async function isEmpty(client: Client): Promise<boolean> {
  const any = [...MOVED.keys()]
    .filter((table) => table !== "cut")
    .map((table) => `EXISTS (SELECT FROM behest_${table} WHERE ${MINE})`);
  const { rows } = await client.query<{ readonly taken: boolean }>(`SELECT ${any.join(" OR ")} AS taken`);
  return !rows[0]!.taken;
}

/**
 * Whether there is a feed that the file's machine has shared before, with all that its own feed has: then that one stays.
 * Throws `store_foreign` where it lacks something.
 */
async function hasCuts(client: Client, dump: Dump): Promise<boolean> {
  const { rows } = await client.query<{ readonly digest: string }>(
    `SELECT digest FROM behest_cut WHERE ${MINE}`,
  );
  if (rows.length === 0) return false;
  const there = new Set(rows.map(({ digest }) => digest));
  for (const { digest } of dump.rows("cut")) if (!there.has(digest as string)) throw occupied();
  return true;
}

function occupied(): BehestError {
  return new BehestError(
    "store_foreign",
    "store_foreign: there is a store at the target already. Name an empty database, schema or tenant.",
  );
}

async function put(
  client: Client,
  table: string,
  { columns, row }: Moved,
  rows: readonly DumpRow[],
): Promise<void> {
  const moved = rows.map(row) as Record<string, unknown>[];
  const values = columns.map(([name]) => moved.map((one) => one[name] ?? null));
  await client.query({ name: `move ${table}`, text: insert(table, columns, undefined, 0), values });
}

function* groups(rows: Iterable<DumpRow>): Generator<DumpRow[]> {
  let group: DumpRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    group.push(row);
    for (const value of Object.values(row)) bytes += typeof value === "number" ? 8 : (value?.length ?? 0);
    if (group.length < MOST && bytes < BYTES) continue;
    yield group;
    [group, bytes] = [[], 0];
  }
  if (group.length > 0) yield group;
}
