import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { type PublicJwk, thumbprint } from "@behest/jws";

/** RFC 8410, 7: what stands before the 32 bytes of a seed in the PKCS#8 of an Ed25519 key. */
const PKCS8 = "302e020100300506032b657004220420";

export interface Key {
  /** The private key, hex. */
  readonly seed: string;
  readonly jwk: PublicJwk;
  readonly thumbprint: string;
  readonly sign: (text: string) => Uint8Array;
}

/** A key that everybody knows: its seed is one byte, 32 times. */
function keyOf(byte: string): Key {
  const seed = byte.repeat(32);
  const key = createPrivateKey({ key: Buffer.from(PKCS8 + seed, "hex"), format: "der", type: "pkcs8" });
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const jwk: PublicJwk = { kty: "OKP", crv: "Ed25519", x: x! };
  return {
    seed,
    jwk,
    thumbprint: thumbprint(jwk),
    sign: (text) => sign(null, Buffer.from(text), key),
  };
}

export const issuer: Key = keyOf("01");
/** Holders of the root, of its child, and so on. */
export const first: Key = keyOf("02");
export const second: Key = keyOf("03");
export const third: Key = keyOf("04");
/** Belongs to no chain. */
export const stranger: Key = keyOf("05");

/** Who holds the key that a token is bound to. */
export function holderOf({ x }: PublicJwk): Key {
  return [first, second, third].find((key) => key.jwk.x === x) ?? stranger;
}
