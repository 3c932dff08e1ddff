import { type PrivateJwk, type Signer, generateSigner, isOwnSigner, signerOf, thumbprint } from "@behest/jws";

/** The owner of the key that a delegation is bound to (`cnf.jwk`). */
export interface Holder extends Signer {
  /** RFC 7638 SHA-256 thumbprint of `jwk`, base64url. */
  readonly thumbprint: string;
}

/** A holder with a new Ed25519 key, in this process's memory only: it cannot be read out of it. */
export async function generateHolder(): Promise<Holder> {
  return holderOf(await generateSigner());
}

/** A holder over a private JWK, or over a signer that lives elsewhere (a KMS). Throws `malformed_key`. */
export function holderOf(key: PrivateJwk | Signer): Holder {
  const signer = "sign" in key ? key : signerOf(key);
  // A function of our own is known by itself; a key service's may need its object.
  const sign: Signer["sign"] = isOwnSigner(signer) ? signer.sign : (bytes) => signer.sign(bytes);
  return { jwk: signer.jwk, sign, thumbprint: thumbprint(signer.jwk) };
}
