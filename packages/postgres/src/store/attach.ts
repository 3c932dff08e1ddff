import { randomBytes, toBase64url } from "@behest/jws";
import {
  type Emitter,
  type HeadRow,
  type Identity,
  type TrustInForce,
  agreed,
  emitterOf,
  examine,
} from "@behest/core/store";
import type { Client } from "pg";
import type { Link } from "../link.ts";
import { MINE } from "../tenant.ts";
import { certify, trustAt } from "./enrolling.ts";
import { enter } from "./enter.ts";
import { find, orphans } from "./find.ts";
import { Log } from "./log.ts";
import { lapse } from "./perform.ts";

/** How long the row of a lease that is over is kept, ms. */
const KEEP = 86_400_000;

/** Opens the log for this process, or refuses it and has appended nothing. `lease`: how long one lasts, ms. */
export async function attach(link: Link, identity: Identity, lease: number): Promise<Log> {
  for (;;) {
    const { row, size, trust } = await link.run((client) => look(client, identity.origin));
    const emitter = await emitterOf(identity, size);
    if (row && trust) await examine(row, trust, emitter);
    const log = new Log(link, emitter, { id: toBase64url(randomBytes(16)), length: lease });
    if (await enroll(log, emitter, row, trust?.manifest.manifest)) return log;
  }
}

/** One state of the log, which agrees with itself, and what is in force in it. */
export async function look(
  client: Client,
  origin: string,
): Promise<{ readonly row?: HeadRow | undefined; readonly size: number; readonly trust?: TrustInForce }> {
  const { row, stored } = await enter(client, { size: 0, checkpoint: undefined, lease: "" }, false);
  const { size } = agreed(row, origin, stored);
  const trust = row && {
    certificate: await trustAt(client, row.certificate),
    manifest: await trustAt(client, row.manifest),
  };
  await client.query("COMMIT");
  return { row, size, ...(trust && { trust }) };
}

/**
 * The first transaction: this process's certificate, the manifest where `inForce` is another one, an outcome for each
 * attempt whose lease is over. False when the manifest in force is no longer the one that was examined.
 */
async function enroll(
  log: Log,
  { identity }: Emitter,
  examined: HeadRow | undefined,
  inForce: string | undefined,
): Promise<boolean> {
  const done = await log.transact({
    async find(client, { now }) {
      await client.query(`DELETE FROM behest_lease WHERE ${MINE} AND expires < $1`, [now - KEEP]);
      return { ...(await find(client, [], [])), left: await orphans(client) };
    },
    perform(work, { row }, { left }) {
      if (row?.manifest !== examined?.manifest) return false;
      certify(work, identity, row, inForce !== identity.manifest);
      for (const orphan of left) work.isolated(() => lapse(work, orphan));
      return true;
    },
  });
  if ("refused" in done) throw done.refused;
  return done.value;
}
