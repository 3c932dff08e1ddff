import { type Json, type Signer, publicKey, signCompact } from "@behest/jws";
import { DelegationError } from "./error.ts";
import type { Restrictions } from "./restrictions/restrictions.ts";
import { TOKEN_TYPE, openToken, verifySignature } from "./token.ts";

/** Signers whose signatures were seen to belong to their public keys. */
const seen = new WeakSet<Signer>();

/**
 * Signs a token's claims, with what restricts it in the protected header. The first signature of each signer is
 * verified under its public key (`signature_invalid`): a key service may sign with another key than it names.
 */
export async function signToken(
  payload: { readonly [claim: string]: Json },
  restrictions: Restrictions | undefined,
  signer: Signer,
): Promise<string> {
  const header = { typ: TOKEN_TYPE, ...(restrictions && { crit: ["bhst"], bhst: restrictions as Json }) };
  const token = await signCompact(header, payload, signer);
  if (seen.has(signer)) return token;
  if (!(await verifySignature(openToken(token)!, publicKey(signer.jwk))))
    throw new DelegationError(
      "signature_invalid",
      "signer: a signature does not verify under the public key that the signer names",
    );
  seen.add(signer);
  return token;
}
