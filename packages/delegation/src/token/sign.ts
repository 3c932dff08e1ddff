import { type Json, type Signer, isOwnSigner, publicKey, signCompact } from "@behest/jws";
import { DelegationError } from "../error.ts";
import type { Restrictions } from "../restrictions/restrictions.ts";
import { TOKEN_TYPE, openToken, verifySignature } from "./token.ts";

/** Signs a token's claims, with what restricts it in the protected header. Throws `signature_invalid`. */
export function signToken(
  payload: { readonly [claim: string]: Json },
  restrictions: Restrictions | undefined,
  signer: Signer,
): Promise<string> {
  return signChecked(
    { typ: TOKEN_TYPE, ...(restrictions && { crit: ["bhst"], bhst: restrictions as Json }) },
    payload,
    signer,
  );
}

/** What a key service answers is verified under the public key that it names (`signature_invalid`). */
export async function signChecked(
  header: { readonly typ: string; readonly [name: string]: Json },
  payload: { readonly [claim: string]: Json },
  signer: Signer,
): Promise<string> {
  const token = await signCompact(header, payload, signer);
  if (!isOwnSigner(signer) && !(await verifySignature(openToken(token)!, publicKey(signer.jwk))))
    throw new DelegationError(
      "signature_invalid",
      "signer: a signature does not verify under the public key that the signer names",
    );
  return token;
}
