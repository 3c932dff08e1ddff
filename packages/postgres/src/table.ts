import {
  BehestError,
  type FeedHead,
  type FeedPage,
  type FeedRow,
  type NewCut,
  headAfter,
} from "@behest/core";
import { randomBytes, sha256Text, toBase64url } from "@behest/jws";
import { type Client, type QueryResult, escapeLiteral } from "pg";
import { MINE, TENANT, isolated } from "./tenant.ts";
import { CHANNEL } from "./wakes.ts";

/** Rows of one answer, at most. */
const PAGE = 1_000;
/** How long what is over is kept nevertheless, seconds: the clock of a reader may be behind. */
const KEEP = 3_600;
/** What PostgreSQL says where a table is not there. */
const UNDEFINED_TABLE = "42P01";

/** Taken by whoever makes tables. */
export const MAKING = "SELECT pg_advisory_xact_lock(1651012451)"; // "bhsc"

/** Makes the table where there is none. Of signed cuts, which name persons, the server is to keep no samples for its plans. */
export const CUTS: string = `
  DO $make$ BEGIN
    IF to_regclass('behest_cut') IS NOT NULL THEN RETURN; END IF;
    CREATE TABLE behest_cut (
      seq bigint, jws text, digest text NOT NULL, until bigint, hash text NOT NULL, ${TENANT},
      PRIMARY KEY (tenant, seq), UNIQUE (tenant, digest)
    );
    ALTER TABLE behest_cut ALTER jws SET STATISTICS 0;
    CREATE INDEX behest_cut_until ON behest_cut (tenant, until) WHERE jws IS NOT NULL;
    ${isolated("behest_cut")}
  END $make$;`;

const CREATE = `ROLLBACK; BEGIN; ${MAKING}; ${CUTS} COMMIT`;

const LAST = `(SELECT seq::float8, hash FROM behest_cut WHERE ${MINE} ORDER BY seq DESC LIMIT 1) AS last`;

/** One statement sees one state. It answers with a row also where there is no cut. */
const READ = `
  SELECT $1::text AS nonce, pg_is_in_recovery() AS standby, last.seq AS last, last.hash AS last_hash,
    cut.seq::float8 AS seq, cut.jws, cut.digest, cut.until::float8 AS until, cut.hash
  FROM (SELECT) AS one LEFT JOIN ${LAST} ON true
  LEFT JOIN (SELECT * FROM behest_cut WHERE ${MINE} AND seq > $2 ORDER BY seq LIMIT ${PAGE}) AS cut ON true
  ORDER BY cut.seq`;

/**
 * Nobody else is between this and the commit. Not a lock on the table: a vacuum's would be in its way. The last
 * statement sees what was committed while the lock was waited for. All in one round trip, hence without parameters.
 */
const begin = (digest: string): string => `
  BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
  SELECT pg_advisory_xact_lock('behest_cut'::regclass::oid::bigint);
  SELECT EXISTS (SELECT FROM behest_cut WHERE ${MINE} AND digest = ${escapeLiteral(digest)}) AS known, last.seq, last.hash,
    CASE WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
      THEN set_config('synchronous_commit', 'on', true) END
  FROM (SELECT) AS one LEFT JOIN ${LAST} ON true`;

/** Takes away what the cuts say that can concern nobody any more. */
export const DROP: string = `UPDATE behest_cut SET jws = NULL
  WHERE ${MINE} AND jws IS NOT NULL AND until <= extract(epoch FROM clock_timestamp()) - ${KEEP}`;

const APPEND = `
  WITH added AS (INSERT INTO behest_cut (seq, jws, digest, until, hash) VALUES ($1, $2, $3, $4, $5)),
    dropped AS (${DROP})
  SELECT pg_notify('${CHANNEL}', '')`;

interface Answer {
  readonly nonce: string;
  readonly standby: boolean;
  readonly last: number | null;
  readonly last_hash: string;
  readonly seq: number | null;
  readonly jws: string | null;
  readonly digest: string;
  readonly until: number | null;
  readonly hash: string;
}

interface Begun {
  readonly known: boolean;
  readonly seq: number | null;
  readonly hash: string;
}

/** At most {@link PAGE} rows, and the head after them. */
export async function read(client: Client, after: number): Promise<FeedPage> {
  const nonce = toBase64url(randomBytes(16));
  const { rows } = await orCreate(client, () =>
    client.query<Answer>({ name: "read", text: READ, values: [nonce, after] }),
  );
  const [first] = rows;
  if (!first || rows.some((row) => row.nonce !== nonce)) throw unfit("this answers another question");
  if (first.standby) throw unfit("this database is a standby, which may be behind; name the primary");
  if (first.seq === null) return { rows: [], head: headOf(first.last, first.last_hash) };
  const { seq, hash } = rows.at(-1)!;
  return { rows: rows.map(rowOf), head: headOf(seq, hash) };
}

export async function append(client: Client, { jws, until }: NewCut): Promise<void> {
  const digest = sha256Text(jws);
  const { known, seq, hash } = await orCreate(client, async () => {
    const results = (await client.query(begin(digest))) as unknown as readonly QueryResult<Begun>[];
    return results.at(-1)!.rows[0]!;
  });
  if (!known) {
    const head = headAfter(headOf(seq, hash), { digest, ...(until !== undefined && { until }) });
    await client.query(APPEND, [head.seq, jws, digest, until ?? null, head.hash]);
  }
  await client.query("COMMIT");
}

/** Empties what is over. */
export async function sweep(client: Client): Promise<void> {
  await orCreate(client, () => client.query(DROP));
}

/** The table is made by whoever first misses it. */
async function orCreate<T>(client: Client, query: () => Promise<T>): Promise<T> {
  try {
    return await query();
  } catch (error) {
    if ((error as { code?: unknown }).code !== UNDEFINED_TABLE) throw error;
    await client.query(CREATE);
    return query();
  }
}

function headOf(seq: number | null, hash: string): FeedHead {
  return seq === null ? { seq: 0, hash: "" } : { seq, hash };
}

function rowOf({ seq, jws, digest, until }: Answer): FeedRow {
  return { seq: seq!, digest, ...(jws !== null && { jws }), ...(until !== null && { until }) };
}

function unfit(what: string): BehestError {
  return new BehestError(
    "store_failed",
    `store_failed: the feed of revocations cannot be relied on: ${what}.`,
  );
}
