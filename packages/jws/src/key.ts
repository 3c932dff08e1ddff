import type { KeyObject, webcrypto } from "node:crypto";
import { fromBase64url } from "./base64url.ts";
import { FormatError } from "./error.ts";
import { node, sha256Text } from "./platform.ts";

export type PublicJwk = {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid?: string;
};
/** What WebCrypto takes: bytes that are not shared memory. */
type Bytes = Uint8Array<ArrayBuffer>;

export type PrivateJwk = PublicJwk & { readonly d: string };

/** A key that signs, wherever it lives: in this process, in a file, in a KMS. Ed25519 (RFC 8032), 64-byte signatures. */
export interface Signer {
  readonly jwk: PublicJwk;
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** An imported public key; import is the costly part (about 20 µs), so keep it where it is used again. */
export interface PublicKey {
  readonly jwk: PublicJwk;
  /** The platform's own handle. */
  readonly native: unknown;
}

/** RFC 7638 thumbprint, SHA-256, base64url. Covers `crv`, `kty` and `x` only. */
export function thumbprint(jwk: PublicJwk): string {
  return sha256Text(`{"crv":"Ed25519","kty":"OKP","x":"${jwk.x}"}`);
}

/**
 * A value → the public key it states, and nothing else of it. Refused (`malformed_key`): another kind of
 * key, private members, x that is not 32 canonical bytes, a y not below p, and points of small order,
 * under which anybody can sign (RFC 8032, 5.1.3 and 8.9).
 */
export function publicJwk(value: unknown): PublicJwk {
  const jwk = value as { kty?: unknown; crv?: unknown; x?: unknown; d?: unknown } | null;
  if (
    typeof jwk !== "object" ||
    jwk === null ||
    jwk.kty !== "OKP" ||
    jwk.crv !== "Ed25519" ||
    typeof jwk.x !== "string"
  )
    throw new FormatError("malformed_key", "not an Ed25519 public key");
  for (const name of ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
    if (Object.hasOwn(jwk, name)) throw new FormatError("malformed_key", "a public key has private members");
  checkPoint(jwk.x);
  return { kty: "OKP", crv: "Ed25519", x: jwk.x };
}

/** Imports a checked key for {@link verify}. */
export function publicKey(value: unknown): PublicKey {
  const jwk = publicJwk(value);
  if (node) return { jwk, native: node.createPublicKey({ key: { ...jwk }, format: "jwk" }) };
  const native = globalThis.crypto.subtle.importKey("jwk", { ...jwk }, "Ed25519", true, ["verify"]);
  // Some platforms look at the point only here; verify() then answers false.
  native.catch(() => undefined);
  return { jwk, native };
}

/** True when `signature` over `bytes` verifies under `key`. Synchronous on Node, a promise elsewhere. */
export function verify(key: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean | Promise<boolean> {
  if (signature.length !== 64 || !belowOrder(signature)) return false;
  if (node) return node.verify(null, bytes, key.native as KeyObject, signature);
  return (key.native as Promise<webcrypto.CryptoKey>).then(
    (k) => globalThis.crypto.subtle.verify("Ed25519", k, signature as Bytes, bytes as Bytes),
    () => false,
  );
}

export async function generatePrivateJwk(): Promise<PrivateJwk> {
  const pair = (await globalThis.crypto.subtle.generateKey("Ed25519", true, [
    "sign",
    "verify",
  ])) as webcrypto.CryptoKeyPair;
  const { x, d } = await globalThis.crypto.subtle.exportKey("jwk", pair.privateKey);
  return { kty: "OKP", crv: "Ed25519", x: x!, d: d! };
}

/** A signer with a new key, which stays inside the platform's crypto: it cannot be read out again. */
export async function generateSigner(): Promise<Signer> {
  if (node) {
    const { privateKey, publicKey } = node.generateKeyPairSync("ed25519");
    return nodeSigner(stated(publicKey.export({ format: "jwk" })), privateKey);
  }
  const { subtle } = globalThis.crypto;
  const pair = (await subtle.generateKey("Ed25519", false, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  return webSigner(stated(await subtle.exportKey("jwk", pair.publicKey)), pair.privateKey);
}

function stated({ x }: { readonly x?: string }): PublicJwk {
  return { kty: "OKP", crv: "Ed25519", x: x! };
}

/** `key` is known to belong to `jwk`. */
function nodeSigner(jwk: PublicJwk, key: KeyObject): Signer {
  const sign: Signer["sign"] = (bytes) => node!.sign(null, bytes, key);
  own.set(sign, jwk.x);
  return { jwk, sign };
}

function webSigner(jwk: PublicJwk, key: webcrypto.CryptoKey | Promise<webcrypto.CryptoKey>): Signer {
  return {
    jwk,
    sign: async (bytes) =>
      new Uint8Array(await globalThis.crypto.subtle.sign("Ed25519", await key, bytes as Bytes)),
  };
}

/** A signer over a private JWK in memory. Its `d` must belong to its `x` (`malformed_key`; without Node at the first signature). */
export function signerOf(value: PrivateJwk): Signer {
  const { x, d } = value;
  const jwk = publicJwk({ kty: value.kty, crv: value.crv, x });
  if (typeof d !== "string" || fromBase64url(d).length !== 32)
    throw new FormatError("malformed_key", "not an Ed25519 private key");
  if (node) {
    const key = node.createPrivateKey({ key: { ...jwk, d }, format: "jwk" });
    const derived = node.createPublicKey(key).export({ format: "jwk" });
    if (derived.x !== x)
      throw new FormatError("malformed_key", "private and public part do not belong together");
    return nodeSigner(jwk, key);
  }
  const key = globalThis.crypto.subtle
    .importKey("jwk", { ...jwk, d }, "Ed25519", false, ["sign"])
    .catch((cause: unknown) => {
      throw new FormatError("malformed_key", "private and public part do not belong together", { cause });
    });
  // Told at the first signature: the platform looks at the parts only later than this.
  key.catch(() => undefined);
  return webSigner(jwk, key);
}

/** Functions that sign with a key that was seen to belong to this `x`. */
const own = new WeakMap<Signer["sign"], string>();

/** Whether a signer was made here from both parts of its key: then its signatures need no second look. */
export function isOwnSigner({ jwk, sign }: Signer): boolean {
  return own.get(sign) === jwk.x;
}

const P_LOW = 0xed;
/** y-coordinates of the points whose order divides 8, little-endian hex, sign bit cleared (RFC 8032 5.1; p−1, p and p+1 included by value). */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

function checkPoint(x: string): void {
  const bytes = fromBase64url(x);
  if (bytes.length !== 32) throw new FormatError("malformed_key", "an Ed25519 key has 32 bytes");
  const top = bytes[31]! & 0x7f;
  let highest = top === 0x7f && bytes[0]! >= P_LOW;
  for (let i = 1; highest && i < 31; i++) highest = bytes[i] === 0xff;
  if (highest) throw new FormatError("malformed_key", "a key is not canonically encoded");
  const first = bytes[0]!;
  if (first === 0 || first === 1 || first === 0x26 || first === 0xc7 || first === 0xec) {
    let hex = "";
    for (let i = 0; i < 32; i++) hex += (i === 31 ? top : bytes[i]!).toString(16).padStart(2, "0");
    if (SMALL_ORDER.has(hex)) throw new FormatError("malformed_key", "a key has small order");
  }
}

/** L, the group's order, little-endian. */
const ORDER = fromBase64url("7dP1XBpjEljWnPei3vneFAAAAAAAAAAAAAAAAAAAABA");

/** S < L (RFC 8032, 5.1.7): otherwise a second valid signature exists. OpenSSL checks it, not every WebCrypto does. */
function belowOrder(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = signature[32 + i]! - ORDER[i]!;
    if (difference) return difference < 0;
  }
  return false;
}
