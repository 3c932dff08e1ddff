import {
  type Signer,
  canonical,
  publicKey,
  sha256Text,
  signCompact,
  splitCompact,
  thumbprint,
} from "@behest/jws";
import { readClaims } from "./claims.ts";
import { ProvenanceError, refusing } from "./error.ts";
import type { Manifest } from "./manifest.ts";
import { bytes32, closed } from "./shape.ts";

const TYP = "behest-trust-change+jwt";

/** What a keeper signs: the SHA-256 of the manifest's canonical JSON without its `countersigned`, base64url. */
interface Claims {
  readonly change: string;
}

const shape = closed<Claims>({ change: bytes32 });

function changeOf({ countersigned: _, ...manifest }: Manifest): string {
  return sha256Text(canonical(manifest));
}

/**
 * Adds a keeper's signature to a version that is ready but for the owner's: number, `prev` and date are in it and do not
 * change any more. Runs where the keeper's key is. What is shown before is for the caller to show.
 */
export async function countersignTrust(manifest: Manifest, keeper: Signer): Promise<Manifest> {
  const header = { typ: TYP, kid: thumbprint(keeper.jwk) };
  const signed = await signCompact(header, { change: changeOf(manifest) }, keeper);
  return { ...manifest, countersigned: [...(manifest.countersigned ?? []), signed] };
}

/**
 * Settles that as many keepers as the version in force asks for have signed the next one. A person counts once, with
 * whatever keys; signatures of others are ignored. Throws `changes_unsigned`; `signature_invalid` and `malformed_trust` for
 * one that names a keeper's key and is none.
 */
export async function checkChange({ changes }: Manifest, next: Manifest): Promise<void> {
  if (!changes) return;
  const persons = new Set<string>();
  for (const jws of next.countersigned ?? []) {
    const kid = refusing(
      "malformed_trust",
      "a countersignature is malformed",
      () => splitCompact(jws).header["kid"],
    );
    const keeper = changes.keepers.find(({ jwk }) => thumbprint(jwk) === kid);
    if (!keeper) continue;
    const { change } = await readClaims<Claims>(jws, publicKey(keeper.jwk), {
      typ: TYP,
      code: "malformed_trust",
      shape,
    });
    if (change === changeOf(next)) persons.add(keeper.person);
  }
  if (persons.size < changes.need)
    throw new ProvenanceError(
      "changes_unsigned",
      `a change of the trust manifest takes ${changes.need} of its keepers, and ${persons.size} have signed this one`,
    );
}
