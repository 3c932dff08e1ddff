import { DROP } from "../table.ts";
import { MINE } from "../tenant.ts";
import { find } from "./find.ts";
import type { Log } from "./log.ts";

/** Rows of a table that one sweep removes at most, so that it never holds the lock for long. */
const MOST = 5_000;

const OVER = ["content", "spawned", "journal", "spent", "counter"];

/**
 * Removes what is over. The latest time goes on with it: what was forgotten must stay too old, also when the server's
 * clock is set back.
 */
export async function sweep(log: Log): Promise<void> {
  await log.transact({
    renews: true,
    async find(client, { now }) {
      await client.query(
        OVER.map(
          (table) =>
            `DELETE FROM behest_${table} WHERE ctid = ANY (ARRAY (SELECT ctid FROM behest_${table} WHERE ${MINE} AND until <= ${now} LIMIT ${MOST}))`,
        ).join(";"),
      );
      await client.query(DROP);
      await client.query(`UPDATE behest_head SET at = greatest(at, ${now}) WHERE ${MINE}`);
      return find(client, [], []);
    },
    perform: () => undefined,
  });
}
