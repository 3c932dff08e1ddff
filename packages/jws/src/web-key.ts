import type { webcrypto } from "node:crypto";
import { utf8 } from "./base64url.ts";
import { FormatError } from "./error.ts";
import { type Signer, publicJwk, publicKey, verify } from "./key.ts";

/** A `CryptoKey`, as far as it matters here: DOM's and Node's types of it differ. */
export interface WebKey {
  readonly type: string;
  readonly algorithm: { readonly name: string };
}

/** What `crypto.subtle.generateKey("Ed25519", …)` gives; its private part need not be extractable. */
export interface WebKeyPair {
  readonly privateKey: WebKey;
  readonly publicKey: WebKey;
}

const SAMPLE = utf8("Do these two keys belong together?");

/**
 * A signer over an Ed25519 pair of WebCrypto, whose private part stays in it. Throws `malformed_key` for keys of
 * another algorithm or use, and for two that do not belong together.
 */
export async function signerFromWebCrypto(pair: WebKeyPair | WebKey): Promise<Signer> {
  // Node's types say that `generateKey` may answer with a single key; that one fails below.
  const { privateKey, publicKey: shown } = pair as WebKeyPair;
  const { subtle } = globalThis.crypto;
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> =>
    new Uint8Array(
      await subtle.sign("Ed25519", privateKey as webcrypto.CryptoKey, bytes as Uint8Array<ArrayBuffer>),
    );
  try {
    const { kty, crv, x } = await subtle.exportKey("jwk", shown as webcrypto.CryptoKey);
    const jwk = publicJwk({ kty, crv, x });
    if (shown.type === "public" && (await verify(publicKey(jwk), SAMPLE, await sign(SAMPLE))))
      return { jwk, sign };
  } catch (cause) {
    throw new FormatError("malformed_key", "not a WebCrypto pair of Ed25519 that can sign", { cause });
  }
  throw new FormatError("malformed_key", "private and public part do not belong together");
}
