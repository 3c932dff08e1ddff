// The store by itself: does writing stay as fast when the log has grown?
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { signerOf } from "@behest/jws";
import { entryHash, rootOf, signCheckpoint } from "@behest/provenance";
import { sqliteStore } from "../../packages/core/src/store/sqlite/store.ts";
import {
  type Engine,
  type Identity,
  type Placed,
  type Store,
  engine as engineOf,
} from "../../packages/core/src/store/types.ts";
import { type TestDeployment, testDeployment } from "../../packages/core/test/store/deployment.ts";
import { type Figure, atMost, median, wallOf } from "./figure.ts";

export const SMALL = 10_000;
const LARGE = 10_000_000;
/** Entries of a real log have about 800 characters; only their end is touched by an append. */
export const FILLER = 200;

/**
 * The same writes against a log of 10,000 entries and one of 10,000,000, in turns. What is built, in bulk: every
 * `entry` row, with its real hashes of a tree whose leaves all equal the first entry's (so the store attaches to it
 * as to any log), {@link FILLER} characters in place of the entry's text; half as many actions under random ids,
 * each with its record; all indexes. Not built: content, turns and delegations, which are swept or few.
 * `value` is the worse of two ratios: one append at a time, and whole actions (begin and finish) 64 at once.
 */
export async function logGrowth(): Promise<Figure> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-growth-"));
  try {
    const deployment = await testDeployment();
    const logs = [];
    for (const size of [SMALL, LARGE]) logs.push(await grown(join(folder, `${size}.db`), deployment, size));
    return await compared("log-growth", logs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What writing to a small log and a large one takes; closes them. */
export async function compared(id: string, logs: readonly Log[], beside?: Figure["beside"]): Promise<Figure> {
  for (const log of logs) await measure(log, 5);
  const rounds: Measured[][] = [];
  // In turns and in both orders, and compared round by round: whatever else the machine does meets both.
  // A round writes the WAL over several times, so its checkpoints are in the price.
  for (let round = 0; round < 30; round++) {
    const measured: Measured[] = [];
    for (const log of round % 2 ? [1, 0] : [0, 1]) measured[log] = await measure(logs[log]!, 10);
    rounds.push(measured);
  }
  for (const { close } of logs) await close();
  const of = (log: number, what: keyof Measured): number => median(rounds.map((round) => round[log]![what]));
  const ratio = (what: keyof Measured): number =>
    median(rounds.map(([small, large]) => large![what] / small![what]));
  return atMost(id, Math.max(ratio("append"), ratio("action")), "ratio", 1.2, {
    "append µs": `${of(0, "append").toFixed(0)} → ${of(1, "append").toFixed(0)}`,
    "action µs, 64 at once": `${of(0, "action").toFixed(0)} → ${of(1, "action").toFixed(0)}`,
    ...beside,
  });
}

export interface Log {
  readonly engine: Engine;
  readonly deployment: TestDeployment;
  readonly delegation: Placed;
  close(): Promise<void>;
}

/** µs each. */
interface Measured {
  readonly append: number;
  readonly action: number;
}

async function measure({ engine, deployment, delegation }: Log, times: number): Promise<Measured> {
  const { entry } = deployment.interaction(delegation, "turn");
  const begin = deployment.begin("", delegation);
  const finish = deployment.finish(begin, delegation);
  const act = async (): Promise<void> => {
    const action = randomId();
    await engine.begin({ ...begin, action, record: { ...begin.record!, action } });
    await engine.finish({ ...finish, action });
  };
  const appending = await wallOf(async () => {
    for (let i = 0; i < times * 5; i++) await engine.append({ entry });
  });
  const acting = await wallOf(() =>
    Promise.all(
      Array.from({ length: 64 }, async () => {
        for (let i = 0; i < times; i++) await act();
      }),
    ),
  );
  return { append: (appending / (times * 5)) * 1000, action: (acting / (times * 64)) * 1000 };
}

async function grown(path: string, deployment: TestDeployment, size: number): Promise<Log> {
  const identity = await deployment.identity();
  const first = sqliteStore(path);
  await first[engineOf].attach(identity);
  await first.close();
  fill(path, identity, size);
  return opened(sqliteStore(path), deployment);
}

/** A log that was grown, as a process writes to it. */
export async function opened(store: Store, deployment: TestDeployment): Promise<Log> {
  const engine = store[engineOf];
  await engine.attach(await deployment.identity());
  return {
    engine,
    deployment,
    delegation: await engine.append(deployment.root()),
    close: () => store.close(),
  };
}

/** Grows the log at `path`, of one entry, to `size` of them. */
function fill(path: string, identity: Identity, size: number): void {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000; BEGIN");
  const { jws } = db.prepare("SELECT jws FROM entry").get() as { jws: string };
  const levels = levelsOf(jws, size);
  const nodes = Buffer.concat(levels);
  db.function("entry_nodes", (index) => nodes.subarray(0, 32 * levelsEndingAt(Number(index))));
  db.function("random_id", randomId);
  const numbers = `WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + ? FROM n WHERE i + ? < ${size})`;
  db.prepare(`${numbers} INSERT INTO entry SELECT i, entry_nodes(i), '${"x".repeat(FILLER)}' FROM n`).run(
    1,
    1,
    1,
  );
  db.prepare(`${numbers}
    INSERT INTO action (id, args, attempt, repeatable, lease, entry, ended, outcome, code)
    SELECT random_id(), '${randomId()}', 1, 1, 1, i, i + 1, 'done', 'ok' FROM n`).run(2, 2, 2);
  const indexes = db.prepare(
    "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'record' AND sql NOT NULL",
  );
  const dropped = indexes.all() as { name: string; sql: string }[];
  for (const { name } of dropped) db.exec(`DROP INDEX ${name}`);
  db.exec(`INSERT INTO record
      (idx, action, attempt, session, principal, delegation, tool, verdict, code, at, agent, outcome, ended)
    SELECT entry, id, 1, substr(id, 1, 22), hex(entry % 1000), args, 'read_file', 'permit', 'ok', entry, zeroblob(40), 'done', ended
    FROM action ORDER BY rowid`);
  for (const { sql } of dropped) db.exec(sql);
  db.prepare("UPDATE head SET checkpoint = ?").run(checkpointOf(levels, identity, size));
  db.exec("COMMIT");
  db.close();
}

/** Hashes of the subtrees of each level, in a tree of `size` leaves that all equal the entry: they are equal, too. */
export function levelsOf(jws: string, size: number): Uint8Array[] {
  const levels: Uint8Array[] = [entryHash(jws)];
  while (2 ** levels.length <= size) levels.push(node(levels.at(-1)!));
  return levels;
}

/** Of that tree. */
export function checkpointOf(
  levels: readonly Uint8Array[],
  { origin, entryKey }: Identity,
  size: number,
): string {
  const frontier = [...levels.keys()]
    .reverse()
    .flatMap((level) => (Math.floor(size / 2 ** level) % 2 ? [levels[level]!] : []));
  return signCheckpoint({ origin, size, root: rootOf(frontier) }, signerOf(entryKey));
}

function node(child: Uint8Array): Uint8Array {
  return createHash("sha256").update(Buffer.of(1)).update(child).update(child).digest();
}

/** How many subtrees, the entry itself included, end with the entry at `index`. */
function levelsEndingAt(index: number): number {
  let levels = 1;
  for (let rest = index; rest % 2 === 1; rest = (rest - 1) / 2) levels++;
  return levels;
}

function randomId(): string {
  return randomBytes(32).toString("base64url");
}
