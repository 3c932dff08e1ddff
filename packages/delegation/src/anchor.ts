import { type PublicJwk, type PublicKey, publicKey } from "@behest/jws";
import { DelegationError } from "./error.ts";
import { keysAt } from "./key-set.ts";
import { type Token, isObject, verifySignature } from "./token.ts";

/** An issuer whose roots are accepted: a key, or the https URL of a JWK set (fetched when first needed). */
export interface Anchor {
  /** Exactly what a root's `iss` says; an absolute URI. */
  readonly iss: string;
  readonly jwk?: PublicJwk;
  readonly jwks?: string | URL;
}

/** The anchor, and the one of its keys, that verified a root. */
export interface VerifyingAnchor {
  readonly iss: string;
  readonly jwk: PublicJwk;
}

/**
 * Step 3b: the anchor whose key verifies `token`; `undefined` when none does. The root's own `iss`, not yet
 * trusted, chooses the order and which key sets are worth a request; step 3k compares it afterwards.
 */
export async function verifyingAnchor(
  anchors: readonly Anchor[],
  token: Token,
): Promise<VerifyingAnchor | undefined> {
  const claims = token.payload?.value;
  const named = isObject(claims) ? claims["iss"] : undefined;
  const own = anchors.filter(({ iss }) => iss === named);
  for (const anchor of [...own, ...anchors.filter(({ iss }) => iss !== named)]) {
    if (anchor.jwk === undefined) continue;
    const key = importedKey(anchor.jwk);
    const verified = verifySignature(token, key);
    if (verified instanceof Promise ? await verified : verified) return { iss: anchor.iss, jwk: key.jwk };
  }
  for (const anchor of own) {
    if (anchor.jwks === undefined) continue;
    for await (const keys of keysAt(anchor.jwks))
      for (const key of keys) if (await verifySignature(token, key)) return { iss: anchor.iss, jwk: key.jwk };
  }
  return undefined;
}

const imported = new WeakMap<PublicJwk, PublicKey>();

/** Anchors outlive chains: their keys are imported once. */
function importedKey(jwk: PublicJwk): PublicKey {
  const known = imported.get(jwk);
  if (known?.jwk.x === jwk.x) return known;
  let key: PublicKey;
  try {
    key = publicKey(jwk);
  } catch (cause) {
    throw new DelegationError("malformed_request", "issuers: a key is not an Ed25519 public key", { cause });
  }
  imported.set(jwk, key);
  return key;
}
