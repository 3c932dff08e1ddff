import { type PublicJwk, toBase64url } from "@behest/jws";
import {
  type TrustEntry,
  entryHash,
  parseEntry,
  parsePayload,
  readCertificate,
  verifyCheckpoint,
} from "@behest/provenance";
import { BehestError } from "../error.ts";
import type { HeadRow } from "./agree.ts";
import { mismatch } from "./failure.ts";
import { type Emitter, examineNext, readManifest } from "./log.ts";

/** The trust entries that a head points to. */
export interface TrustInForce {
  readonly certificate: TrustEntry;
  readonly manifest: TrustEntry;
}

/** A stored entry, which must be a trust entry and the one of this hash in the tree. */
export function trustEntryOf(jws: string, hash: string): TrustEntry {
  try {
    const payload = parsePayload(parseEntry(jws).payload);
    if (payload.type === "trust" && toBase64url(entryHash(jws)) === hash) return payload;
  } catch (cause) {
    throw mismatch("the log's last trust entry cannot be read", cause);
  }
  throw mismatch("the log's last trust entry is not the one in its tree");
}

/**
 * The last checkpoint must be by a key that a trusted enforcer certified for this log: under our manifest, or
 * under the one in force when an enforcer has been left out since. Ours must be that one or the next version. Answers
 * with that key.
 */
export async function examine(row: HeadRow, trust: TrustInForce, emitter: Emitter): Promise<PublicJwk> {
  const { identity, manifest } = emitter;
  return examined(async () => {
    const inForce = trust.manifest.manifest ?? "";
    const before = await readManifest(inForce, identity.manifest);
    await examineNext(emitter, inForce);
    const jws = trust.certificate.certificate ?? "";
    const { jwk } = await readCertificate(jws, manifest, row.certificate).catch(() =>
      readCertificate(jws, before, row.certificate),
    );
    await verifyCheckpoint(row.checkpoint, { origin: identity.origin, jwk });
    return jwk;
  });
}

/** The same of a checkpoint whose key is known. */
export async function examineHead(row: HeadRow, jwk: PublicJwk): Promise<void> {
  await examined(() => verifyCheckpoint(row.checkpoint, { origin: row.origin, jwk }));
}

async function examined<T>(examination: () => Promise<T>): Promise<T> {
  try {
    return await examination();
  } catch (cause) {
    if (BehestError.isInstance(cause)) throw cause;
    throw mismatch("the last checkpoint is not signed by a key of this log", cause);
  }
}
