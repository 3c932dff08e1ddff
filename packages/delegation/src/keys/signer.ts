import {
  type Signer,
  type WebKey,
  type WebKeyPair,
  signerFromPkcs8 as fromPkcs8,
  signerFromWebCrypto as fromWebCrypto,
} from "@behest/jws";
import { DelegationError } from "../error.ts";

/**
 * A signer over the Ed25519 key of a PKCS#8 PEM: one block `PRIVATE KEY` (RFC 7468 and 8410), not encrypted. The
 * text is the caller's to forget. Throws `malformed_key`.
 */
export function signerFromPkcs8(pem: string): Promise<Signer> {
  return fromPkcs8(pem).catch(refuse);
}

/**
 * A signer over an Ed25519 key pair of WebCrypto, such as `crypto.subtle.generateKey("Ed25519", false, ["sign",
 * "verify"])` makes. Its private part need not be extractable and stays where it is. Throws `malformed_key` for
 * keys of another algorithm or use, and for two that do not belong together.
 */
export function signerFromWebCrypto(pair: WebKeyPair | WebKey): Promise<Signer> {
  return fromWebCrypto(pair).catch(refuse);
}

function refuse(cause: unknown): never {
  throw new DelegationError("malformed_key", "key: not an Ed25519 private key in the expected form", {
    cause,
  });
}
