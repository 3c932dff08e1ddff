import type { Frontier } from "@behest/provenance";
import { type HeadRow, type Stored, damaged } from "@behest/core/store";
import { type Client, type QueryResult, escapeLiteral } from "pg";
import { MINE } from "../tenant.ts";
import { CLOCK } from "./shapes.ts";

/** How a transaction finds the log. */
export interface Entered {
  readonly row: HeadRow | undefined;
  /** The store's time, ms since the epoch. */
  readonly now: number;
  /** Number of this process's last transaction that was committed; undefined where its lease is not there. */
  readonly batch: number | undefined;
  readonly stored: Stored;
}

/** One writer of a tenant's log at a time, on all machines; held until the transaction ends. */
const LOCK =
  "SELECT pg_advisory_xact_lock(hashtextextended('behest_log ' || 'behest_entry'::regclass::oid || ' ' || coalesce(current_setting('behest.tenant', true), ''), 0))";

/** Where the roots of the subtrees are that make up the first `n` entries: one for each bit that is set in it. */
const frontier = (n: string): string =>
  `(SELECT json_agg((
      SELECT substring(nodes FROM k * 32 + 1 FOR 32) FROM behest_entry WHERE ${MINE} AND idx = ((${n} >> k) << k) - 1
    )::text ORDER BY k DESC) FROM generate_series(0, 52) k WHERE (${n} >> k) & 1 = 1)`;

/**
 * What follows the lock sees what was committed while it was waited for. All in one round trip, hence without
 * parameters. The tree is read where the last checkpoint is not the one that is known.
 */
const text = (
  known: { readonly size: number; readonly checkpoint: string | undefined; readonly lease: string },
  lock: boolean,
): string => `
  BEGIN ISOLATION LEVEL ${lock ? "READ COMMITTED READ WRITE" : "REPEATABLE READ READ ONLY"};
  ${lock ? LOCK : "SELECT"};
  SELECT h.origin, h.checkpoint, h.certificate::float8, h.manifest::float8, h.at::float8,
    greatest(${CLOCK}, h.at)::float8 AS now, size::float8 AS size,
    (SELECT batch::float8 FROM behest_lease WHERE ${MINE} AND id = ${escapeLiteral(known.lease)}) AS batch,
    CASE WHEN changed THEN ${frontier("size")} END AS frontier,
    CASE WHEN changed THEN ${frontier(`${known.size}::bigint`)} END AS before
  FROM (SELECT coalesce(max(idx) + 1, 0) AS size FROM behest_entry WHERE ${MINE}) AS log
  LEFT JOIN behest_head h ON h.${MINE}
  CROSS JOIN LATERAL (SELECT h.checkpoint IS DISTINCT FROM ${known.checkpoint === undefined ? "''" : escapeLiteral(known.checkpoint)} AS changed) AS x`;

interface Answer extends Omit<HeadRow, "origin"> {
  readonly origin: string | null;
  readonly now: number;
  readonly size: number;
  readonly batch: number | null;
  readonly frontier: readonly (string | null)[] | null;
  readonly before: readonly (string | null)[] | null;
}

/** Begins a transaction: to write, alone (`lock`), or to read one state. */
export async function enter(
  client: Client,
  known: { readonly size: number; readonly checkpoint: string | undefined; readonly lease: string },
  lock: boolean,
): Promise<Entered> {
  const results = (await client.query(text(known, lock))) as unknown as readonly QueryResult<Answer>[];
  const { origin, checkpoint, certificate, manifest, at, now, size, batch, ...trees } =
    results.at(-1)!.rows[0]!;
  return {
    row: origin === null ? undefined : { origin, checkpoint, certificate, manifest, at },
    now,
    batch: batch ?? undefined,
    stored: {
      size,
      frontierAt: (of) => frontierFrom(of === size ? trees.frontier : trees.before, of),
    },
  };
}

function frontierFrom(hex: readonly (string | null)[] | null, size: number): Frontier {
  const frontier = (hex ?? []).map((text) => Buffer.from((text ?? "").slice(2), "hex"));
  const bits = size.toString(2).replaceAll("0", "").length;
  if (frontier.length !== bits || frontier.some(({ length }) => length !== 32)) throw damaged(size - 1);
  return frontier;
}
