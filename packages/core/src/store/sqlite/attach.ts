import type { DatabaseSync } from "node:sqlite";
import { examine } from "../examine.ts";
import { mismatch } from "../failure.ts";
import { emitterOf } from "../log.ts";
import type { Identity } from "../types.ts";
import { Entries } from "./entries.ts";
import { FeedEnd } from "./feed.ts";
import { isEmptyAt, openForWriting, told } from "./file.ts";
import { Leases } from "./lease.ts";
import { readSidecar } from "./sidecar.ts";
import { Writer } from "./writer.ts";

export interface WriterOptions {
  /** How long a lease lasts, ms. */
  readonly lease: number;
  /** How long to wait for another process's lock, ms. */
  readonly wait: number;
}

/** Opens the log for this process, or refuses it and has appended nothing. */
export async function attach(path: string, identity: Identity, options: WriterOptions): Promise<Writer> {
  const witnessed = readSidecar(path);
  if (witnessed && isEmptyAt(path))
    throw mismatch(`the log is empty, ${witnessed.size} entries were seen before`);
  const db = openForWriting(path, options.wait);
  let feed: FeedEnd | undefined;
  try {
    feed = new FeedEnd(path, options.wait);
    return await attachTo(db, path, { identity, lease: options.lease, clock: Date.now, feed });
  } catch (error) {
    feed?.close();
    db.close();
    throw told(error);
  }
}

/** The same on an open database. `lease`: how long one lasts, ms. */
export async function attachTo(
  db: DatabaseSync,
  path: string,
  by: {
    readonly identity: Identity;
    readonly lease: number;
    readonly clock: () => number;
    readonly feed?: FeedEnd;
  },
): Promise<Writer> {
  const { identity, clock, feed } = by;
  const entries = new Entries(db);
  const leases = new Leases(db, by.lease);
  for (;;) {
    // Before the snapshot: what another process writes meanwhile may only be further on.
    const witnessed = readSidecar(path);
    db.exec("BEGIN");
    const row = entries.head();
    const { size } = entries.agreed(row, identity.origin);
    if (witnessed) entries.extends(witnessed, size);
    const trust = row && {
      certificate: entries.trustAt(row.certificate),
      manifest: entries.trustAt(row.manifest),
    };
    db.exec("COMMIT");
    const emitter = await emitterOf(identity, size);
    if (row && trust) await examine(row, trust, emitter);
    const writer = new Writer({ db, path, entries, leases, emitter, clock, feed });
    if (writer.enroll(row, trust?.manifest.manifest)) return writer;
  }
}
