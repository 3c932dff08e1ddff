import type { Link } from "../link.ts";
import { MINE } from "../tenant.ts";

/** Gives a lease back: what still runs under it is closed by whoever meets it next. */
export async function leave(link: Link, lease: string): Promise<void> {
  await link.run((client) => client.query(`DELETE FROM behest_lease WHERE ${MINE} AND id = $1`, [lease]));
}
