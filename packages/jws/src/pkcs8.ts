import { fromBase64url } from "./base64url.ts";
import { FormatError } from "./error.ts";
import { type PrivateJwk, type Signer, signerOf } from "./key.ts";

/** One block and nothing around it (RFC 7468, 10): no encrypted key, no certificate, no second key. */
const PEM = /^\s*-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----\s*$/;

/** The DER in a PKCS#8 PEM, of whatever key. Throws `malformed_key`. */
export function pkcs8FromPem(pem: string): Uint8Array<ArrayBuffer> {
  const body = PEM.exec(pem)?.[1]?.replace(/\s/g, "").replace(/=+$/, "");
  try {
    if (body !== undefined)
      return Uint8Array.from(fromBase64url(body.replaceAll("+", "-").replaceAll("/", "_")));
  } catch (cause) {
    throw new FormatError("malformed_key", "a PEM block is not base64", { cause });
  }
  throw new FormatError("malformed_key", "not one PEM block PRIVATE KEY");
}

/** A signer over the Ed25519 key of a PKCS#8 PEM (RFC 8410, 7), kept as {@link signerOf} does. Throws `malformed_key`. */
export async function signerFromPkcs8(pem: string): Promise<Signer> {
  const der = pkcs8FromPem(pem);
  const { subtle } = globalThis.crypto;
  try {
    // Extractable for this moment: it is how WebCrypto tells the public part.
    const key = await subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    return signerOf((await subtle.exportKey("jwk", key)) as PrivateJwk);
  } catch (cause) {
    throw new FormatError("malformed_key", "not an Ed25519 private key in PKCS#8", { cause });
  }
}
