import { type PublicKey, publicKey } from "@behest/jws";
import { createRemoteJWKSet } from "jose/jwks/remote";
import { DelegationError } from "./error.ts";

type Remote = ReturnType<typeof createRemoteJWKSet>;

/** One per URL and process: jose keeps each for ten minutes, and asks again for a new key every 30 s at most. */
const remotes = new Map<string, Remote>();

/**
 * The Ed25519 keys at an https URL, first as cached; a second round after a new request, where one is due.
 * Throws `issuer_unreachable`, `malformed_request`.
 */
export async function* keysAt(address: string | URL): AsyncGenerator<readonly PublicKey[]> {
  const url = URL.canParse(String(address)) ? new URL(address) : undefined;
  if (url?.protocol !== "https:")
    throw new DelegationError("malformed_request", "issuers: a key set needs an https URL");
  let remote = remotes.get(url.href);
  if (!remote) remotes.set(url.href, (remote = createRemoteJWKSet(url)));
  if (!remote.fresh) await reload(remote);
  yield usable(remote);
  if (remote.coolingDown) return;
  await reload(remote);
  yield usable(remote);
}

async function reload(remote: Remote): Promise<void> {
  try {
    await remote.reload();
  } catch (cause) {
    throw new DelegationError("issuer_unreachable", "issuers: a key set could not be fetched", { cause });
  }
}

function usable(remote: Remote): readonly PublicKey[] {
  const keys: PublicKey[] = [];
  for (const jwk of remote.jwks()?.keys ?? []) {
    if ((jwk.use ?? "sig") !== "sig" || !["Ed25519", "EdDSA"].includes(jwk.alg ?? "Ed25519")) continue;
    try {
      keys.push(publicKey(jwk));
    } catch {
      // A set also holds keys of other kinds.
    }
  }
  return keys;
}
