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
import { BehestError } from "../error.ts";
import type { HeadRow } from "./agree.ts";
import { mismatch, superseded } from "./failure.ts";
import { type Emitter, readManifest } from "./log.ts";

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
 * under the one in force when an enforcer has been left out since. Ours must be that one or the next version.
 */
export async function examine(
  row: HeadRow,
  trust: TrustInForce,
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
