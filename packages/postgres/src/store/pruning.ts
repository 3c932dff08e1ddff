import { FRESH, GONE, PRUNED, type Prune, type PruneResult, rulePrune } from "@behest/core/store";
import type { Client } from "pg";
import { MINE } from "../tenant.ts";
import { HOLDS } from "./erasing.ts";
import { find } from "./find.ts";
import type { Job } from "./log.ts";
import type { Known } from "./work.ts";

/** Which holds nobody has released, how many of these entries have their text, and what was appended since. */
const FIND = `SELECT
  (SELECT coalesce(json_agg(h.idx), '[]') FROM ${HOLDS}) AS holds,
  (SELECT count(*)::float8 FROM behest_entry WHERE ${MINE} AND idx = ANY($1::bigint[]) AND jws <> '') AS left,
  (SELECT coalesce(json_agg(jws), '[]') FROM (
    SELECT jws FROM behest_entry WHERE ${MINE} AND idx >= $2 ORDER BY idx LIMIT ${FRESH + 1}) AS since) AS fresh`;

interface Found {
  readonly holds: readonly number[];
  readonly left: number;
  readonly fresh: readonly string[];
}

/** One batch, in a transaction of its own. See `Engine.prune`. */
export function pruning(request: Prune): Job<PruneResult, Known & Found> {
  const { ranges, seen, delegations } = request;
  return {
    async find(client) {
      const { rows } = await client.query<Found>(FIND, [indexesOf(ranges), seen]);
      return { ...(await find(client, [], [])), ...rows[0]! };
    },
    perform(work, { stored: { size } }, { holds, left, fresh }) {
      const refused = rulePrune(request, {
        now: work.now,
        retention: work.retention,
        size,
        holds,
        left,
        fresh: () => fresh,
      });
      if (refused) return refused;
      const placed = work.place(request.entry);
      const names = delegations.flatMap(({ leaf, jti }) => (jti === undefined ? [leaf] : [leaf, jti]));
      work.isolated(() => {
        for (const key of [PRUNED + placed.index, ...names.map((name) => GONE + name)])
          work.found.once.set(key, { key, idx: placed.index, hash: placed.hash });
      });
      work.pruned = request;
      // As after an erasure.
      return { pruned: "done", placed, swept: false };
    },
  };
}

/** Destroys the text of these entries and what lies beside them. */
export async function empty(client: Client, { ranges, actions, spawns, delegations }: Prune): Promise<void> {
  const indexes = indexesOf(ranges);
  const beside = async (statement: string, keys: readonly (string | number)[]): Promise<void> => {
    if (keys.length > 0) await client.query(statement, [keys]);
  };
  await beside(`UPDATE behest_entry SET jws = '' WHERE ${MINE} AND idx = ANY($1::bigint[])`, indexes);
  for (const table of ["record", "content"])
    await beside(`DELETE FROM behest_${table} WHERE ${MINE} AND idx = ANY($1::bigint[])`, indexes);
  await beside(
    `UPDATE behest_action SET repeatable = false, result = NULL, charged = NULL WHERE ${MINE} AND id = ANY($1::text[])`,
    actions,
  );
  await beside(`DELETE FROM behest_spawned WHERE ${MINE} AND action = ANY($1::text[])`, spawns);
  const leaves = delegations.map(({ leaf }) => leaf);
  await beside(`DELETE FROM behest_delegation WHERE ${MINE} AND leaf = ANY($1::text[])`, leaves);
}

function indexesOf(ranges: Prune["ranges"]): readonly number[] {
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
