import {
  ACCESS,
  ERASED,
  type Erasable,
  type Erase,
  type EraseResult,
  HOLD,
  RELEASE,
  ruleErase,
} from "@behest/core/store";
import type { Client } from "pg";
import { MINE } from "../tenant.ts";
import { find } from "./find.ts";
import type { Job } from "./log.ts";
import { leafAt } from "./shapes.ts";
import type { Known } from "./work.ts";

/** Rows of a principal that are of no use without its key. */
const GONE = ["content", "spawned", "journal"];
/** Rows that stay, for what they say of the log; what is sealed in them goes. */
const EMPTIED = [
  ["delegation", "sealed"],
  ["approval", "sealed"],
  ["record", "agent"],
] as const;

const THEIRS = `${MINE} AND principal = ANY($1::text[])`;

/** A leaf hash as the log's texts have it. */
const HASH = `rtrim(translate(encode(${leafAt("h.idx")}::bytea, 'base64'), '+/', '-_'), '=')`;
const jwsAt = (index: string): string =>
  `(SELECT e.jws FROM behest_entry e WHERE e.${MINE} AND e.idx = ${index})`;

/** Rows `h` of the holds that nobody has released. */
export const HOLDS: string = `behest_once h
  WHERE h.${MINE} AND h.key >= '${HOLD}' AND h.key < '${HOLD.replace(/:$/, ";")}' AND NOT EXISTS (
    SELECT FROM behest_once r WHERE r.${MINE} AND r.key = '${RELEASE}' || ${HASH})`;

/** Who of them is known, which holds nobody has released, the latest entry that is known to be of one of them, and their latest record's time. */
const FIND = `SELECT
  (SELECT coalesce(json_agg(pseudonym), '[]') FROM behest_principal WHERE ${MINE} AND pseudonym = ANY($1::text[])) AS known,
  (SELECT coalesce(json_agg(${jwsAt("h.idx")}), '[]') FROM ${HOLDS}) AS holds,
  ${jwsAt(`(SELECT max(at) FROM (
    SELECT max(greatest(idx, ended, interaction)) AS at FROM behest_record WHERE ${THEIRS}
    UNION ALL SELECT max(idx) FROM behest_delegation WHERE ${THEIRS}
    UNION ALL SELECT max(idx) FROM behest_content WHERE ${THEIRS}
    UNION ALL SELECT max(idx) FROM behest_journal WHERE ${THEIRS}
    UNION ALL SELECT max(idx) FROM behest_approval WHERE ${THEIRS}
    UNION ALL SELECT max((SELECT max(d.idx) FROM behest_decision d WHERE d.${MINE} AND d.approval = a.id))
      FROM behest_approval a WHERE a.${THEIRS}
    UNION ALL SELECT max(o.idx) FROM behest_once o, unnest($1::text[]) AS who
      WHERE o.${MINE} AND o.key > '${ACCESS}' || who || ':' AND o.key < '${ACCESS}' || who || ';'
  ) AS places)`)} AS latest,
  (SELECT max(at)::float8 FROM behest_record WHERE ${THEIRS}) AS recorded`;

/** What an action has spent would tell its amount. Nothing more is spent from these: their tokens are not opened again. */
const FORGET = `
  WITH charged AS (
    SELECT id, charged FROM behest_action WHERE ${MINE} AND charged IS NOT NULL
      AND id = ANY (ARRAY (SELECT action FROM behest_record WHERE ${THEIRS}))
  ), gone AS (
    DELETE FROM behest_counter
      WHERE ${MINE} AND id = ANY (ARRAY (SELECT unnest(string_to_array(charged, ' ')) FROM charged))
  )
  UPDATE behest_action SET charged = NULL WHERE ${MINE} AND id = ANY (ARRAY (SELECT id FROM charged))`;

interface Found {
  readonly known: readonly string[];
  readonly holds: readonly string[];
  readonly latest: string | null;
  readonly recorded: number | null;
}

/** One erasure, in a transaction of its own. See `Engine.erase`. */
export function erasure(request: Erase): Job<EraseResult, Known & Found> {
  const { principals } = request;
  return {
    async find(client) {
      const { rows } = await client.query<Found>(FIND, [principals]);
      return { ...(await find(client, [], [])), ...rows[0]! };
    },
    perform(work, _entered, { known, holds, latest, recorded }) {
      const erasable: Erasable = {
        isKnown: (pseudonym) => known.includes(pseudonym),
        holds,
        latest: () => latest ?? undefined,
        recorded: () => recorded ?? undefined,
        now: work.now,
      };
      const ruling = ruleErase(request, erasable);
      if ("erased" in ruling) return ruling;
      const placed = work.place(ruling.entry);
      work.isolated(() => {
        for (const principal of principals) {
          const key = ERASED + principal;
          work.found.once.add(key, { key, idx: placed.index, hash: placed.hash });
        }
      });
      work.erased.push(...principals);
      // Dead rows are there until a vacuum, and the write-ahead log is until it is recycled: neither is ours to end.
      return { erased: "done", placed, early: ruling.early, swept: false };
    },
  };
}

/** Destroys what there is of them. */
export async function destroy(client: Client, principals: readonly string[]): Promise<void> {
  await client.query(FORGET, [principals]);
  await client.query(`DELETE FROM behest_principal WHERE ${MINE} AND pseudonym = ANY($1::text[])`, [
    principals,
  ]);
  for (const table of GONE) await client.query(`DELETE FROM behest_${table} WHERE ${THEIRS}`, [principals]);
  for (const [table, column] of EMPTIED)
    await client.query(`UPDATE behest_${table} SET ${column} = '' WHERE ${THEIRS}`, [principals]);
}
