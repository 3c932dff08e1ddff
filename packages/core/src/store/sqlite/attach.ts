import type { DatabaseSync } from "node:sqlite";
import { toBase64url } from "@behest/jws";
import {
  type TrustEntry,
  entryHash,
  parseEntry,
  parsePayload,
  readCertificate,
  trustHash,
  verifyCheckpoint,
} from "@behest/provenance";
import { BehestError } from "../../error.ts";
import { mismatch, superseded } from "../failure.ts";
import { type Emitter, emitterOf, readManifest } from "../log.ts";
import type { Identity } from "../types.ts";
import { Entries, type HeadRow } from "./entries.ts";
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
      certificate: trustAt(entries, row.certificate),
      manifest: trustAt(entries, row.manifest),
    };
    db.exec("COMMIT");
    const emitter = await emitterOf(identity, size);
    if (row && trust) await examine(row, trust, emitter);
    const writer = new Writer({ db, path, entries, leases, emitter, clock, feed });
    if (writer.enroll(row, trust?.manifest.manifest)) return writer;
  }
}

/** The entry at `index`, which must be a trust entry and the one in the tree. */
function trustAt(entries: Entries, index: number): TrustEntry {
  const [jws = ""] = entries.range(index, 1);
  try {
    const payload = parsePayload(parseEntry(jws).payload);
    if (payload.type === "trust" && toBase64url(entryHash(jws)) === entries.hash(index)) return payload;
  } catch (cause) {
    throw mismatch("the log's last trust entry cannot be read", cause);
  }
  throw mismatch("the log's last trust entry is not the one in its tree");
}

/**
 * The last checkpoint must be by a key that a trusted enforcer certified for this log: under our manifest, or
 * under the one in force when an enforcer has been left out since. Ours must be that one or the next version.
 */
async function examine(
  row: HeadRow,
  trust: { readonly certificate: TrustEntry; readonly manifest: TrustEntry },
  { identity, manifest }: Emitter,
): Promise<void> {
  try {
    const inForce = trust.manifest.manifest ?? "";
    const before = await readManifest(inForce, identity.manifest);
    if (inForce !== identity.manifest && before.seq >= manifest.seq) throw superseded();
    if (
      inForce !== identity.manifest &&
      (manifest.seq !== before.seq + 1 || manifest.prev !== trustHash(inForce))
    )
      throw skipped();
    const jws = trust.certificate.certificate ?? "";
    const certificate = await readCertificate(jws, manifest, row.certificate).catch(() =>
      readCertificate(jws, before, row.certificate),
    );
    await verifyCheckpoint(row.checkpoint, { origin: identity.origin, jwk: certificate.jwk });
  } catch (cause) {
    if (BehestError.isInstance(cause)) throw cause;
    throw mismatch("the last checkpoint is not signed by a key of this log", cause);
  }
}

function skipped(): BehestError {
  const message =
    "trust_invalid: the trust manifest does not follow the one in force in the log. Start with each version in turn.";
  return new BehestError("trust_invalid", message);
}
