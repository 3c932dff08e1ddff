import {
  type Json,
  type PublicJwk,
  type PublicKey,
  fromBase64url,
  fromUtf8,
  parseJson,
  publicKey,
} from "@behest/jws";
import { DelegationError } from "../error.ts";
import { type KeySetFetch, keysAt } from "./key-set.ts";
import { type Claims, type Token, isObject, isText, verifySignature } from "../token/token.ts";

/** An issuer whose roots are accepted: a key, or the https URL of a JWK set (fetched when first needed). */
export interface Anchor {
  /** Exactly what a root's `iss` says; an absolute URI. */
  readonly iss: string;
  readonly jwk?: PublicJwk;
  readonly jwks?: string | URL;
  /** How `jwks` is fetched. Default: the global `fetch`. Keys are kept per function: pass the same one each time. */
  readonly fetch?: KeySetFetch;
  /** Exactly the `tenant`s that it may assert; its roots must then name one. Absent: any, or none. */
  readonly tenants?: readonly string[];
  /** Exactly the principals (`sub`) that it may assert. Absent: any. */
  readonly subjects?: readonly string[];
}

/** Who verified a root, and the key that did. */
export interface VerifyingAnchor {
  readonly iss: string;
  readonly jwk: PublicJwk;
  /** Every anchor of this issuer with this key, or with the key set that it came from. */
  readonly anchors: readonly Anchor[];
}

/**
 * Step 3b: the anchor whose key verifies `token`; `undefined` when none does. The root's own `iss`, not yet
 * trusted, chooses the order and which key sets are worth a request; step 3k compares it afterwards. A key that
 * an anchor pins asserts what those anchors say, wherever else it is published. `signed`: whether a key made the
 * signature, where that is known already.
 */
export async function verifyingAnchor(
  anchors: readonly Anchor[],
  token: Token,
  signed: (key: PublicKey) => boolean | Promise<boolean> = (key) => verifySignature(token, key),
): Promise<VerifyingAnchor | undefined> {
  const claims = token.payload?.value;
  const named = isObject(claims) ? claims["iss"] : undefined;
  const own = anchors.filter(({ iss }) => iss === named);
  for (const { iss, jwk: pinned } of [...own, ...anchors.filter(({ iss }) => iss !== named)]) {
    if (pinned === undefined) continue;
    const key = importedKey(pinned);
    const verified = signed(key);
    if (verified instanceof Promise ? await verified : verified) {
      const { jwk } = key;
      return { iss, jwk, anchors: anchors.filter((one) => one.iss === iss && one.jwk?.x === jwk.x) };
    }
  }
  let unreachable: unknown;
  for (const { iss, jwks, fetch } of own) {
    if (jwks === undefined) continue;
    try {
      for await (const keys of keysAt(jwks, kidOf(token), fetch))
        for (const key of keys)
          if (await signed(key)) {
            const { href } = new URL(jwks);
            return { iss, jwk: key.jwk, anchors: own.filter((one) => isAt(one, href, fetch)) };
          }
    } catch (error) {
      // Another of the issuer's key sets may still have the key.
      unreachable ??= error;
    }
  }
  if (unreachable !== undefined) throw unreachable;
  return undefined;
}

/** Whether a key of one of these anchors made a signature; key sets are asked last. Throws `issuer_unreachable`. */
export async function signedByOne(
  anchors: readonly Anchor[],
  kid: unknown,
  signed: (key: PublicKey) => boolean | Promise<boolean>,
): Promise<boolean> {
  for (const { jwk } of anchors) if (jwk !== undefined && (await signed(importedKey(jwk)))) return true;
  for (const { jwks, fetch } of anchors) {
    if (jwks === undefined) continue;
    for await (const keys of keysAt(jwks, kid, fetch))
      for (const key of keys) if (await signed(key)) return true;
  }
  return false;
}

/** The same set as `keysAt` keeps them: two ways to fetch one URL may lead to two servers. */
function isAt({ jwks, fetch }: Anchor, href: string, by: KeySetFetch | undefined): boolean {
  return jwks !== undefined && fetch === by && URL.canParse(String(jwks)) && new URL(jwks).href === href;
}

/** Step 3k, our part of it: whether one of these anchors may assert the root's principal and tenant. */
export function mayAssert(anchors: readonly Anchor[], { iss, sub = iss, tenant }: Claims): boolean {
  return anchors.some(({ tenants, subjects }) => among(tenants, tenant) && among(subjects, sub));
}

function among(allowed: readonly string[] | undefined, value: Json | undefined): boolean {
  if (allowed === undefined) return true;
  // A text has `includes` as well: for any part of it.
  if (!Array.isArray(allowed))
    throw new DelegationError("malformed_request", "issuers: tenants and subjects are arrays");
  return isText(value) && allowed.includes(value);
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

/** Whatever a header says of keys, only its `kid` is looked at, and only to choose among the issuer's own. */
function kidOf({ head }: Token): unknown {
  const header = parseJson(fromUtf8(fromBase64url(head)));
  return isObject(header) ? header["kid"] : undefined;
}
