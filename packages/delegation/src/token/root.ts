import { thumbprint } from "@behest/jws";
import { type Anchor, mayAssert, verifyingAnchor } from "../keys/anchor.ts";
import { type Clock, type Hop, date, grantedTools, holderKey, signingHash } from "./hop.ts";
import { isInteger } from "./number.ts";
import { ordinaryClaims } from "./ordinary.ts";
import { TOKEN_TYPE, type Token, isText, refuse, verifiedClaims, verifyHeader } from "./token.ts";

/** RFC 3986: a scheme, then anything a URI may hold. */
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=%-]+$/;

export function isAbsoluteUri(text: string): boolean {
  return ABSOLUTE_URI.test(text);
}

/**
 * Step 3, in order. With `"unjudged"` in place of anchors the root's signature and issuer are not checked:
 * for deriving, where only the holder's side knows the chain, never for deciding.
 */
export async function verifyRoot(
  token: Token,
  anchors: readonly Anchor[] | "unjudged",
  { now, limits }: Clock,
): Promise<Hop & { readonly issuerKey: string }> {
  const restrictions = verifyHeader(token, TOKEN_TYPE, "3a", 0);
  const anchor = anchors === "unjudged" ? undefined : await verifyingAnchor(anchors, token);
  if (anchors !== "unjudged" && !anchor)
    refuse("issuer_untrusted", "3b", 0, "no trusted issuer's key verifies the signature");
  const claims = verifiedClaims(token, "3b", 0);
  const iat = date(claims, "iat", "3b", 0);
  const exp = date(claims, "exp", "3b", 0);
  if (claims["del_depth"] !== 0) refuse("chain_broken", "3c", 0, "del_depth of a root is 0");
  if (Object.hasOwn(claims, "par_hash")) refuse("chain_broken", "3d", 0, "a root has no par_hash");
  if (!(exp > now)) refuse("delegation_expired", "3e", 0, "expired");
  if (!(iat <= now + limits.maxIatSkew)) refuse("lifetime_refused", "3f", 0, "issued in the future");
  if (!(exp > iat)) refuse("lifetime_refused", "3g", 0, "exp is not after iat");
  if (!(exp <= iat + limits.maxTokenLifetime)) refuse("lifetime_refused", "3h", 0, "lives too long");
  const maxDepth = claims["del_max_depth"];
  if (!isInteger(maxDepth) || !(maxDepth >= 0 && maxDepth <= limits.maxDelegationDepth))
    refuse(
      "malformed_delegation",
      "3i",
      0,
      `del_max_depth is not an integer of 0 to ${limits.maxDelegationDepth}`,
    );
  const jti = claims["jti"];
  if (!isText(jti)) refuse("malformed_delegation", "3j", 0, "jti is empty");
  const iss = claims["iss"];
  if (!isText(iss) || !isAbsoluteUri(iss) || (anchor && iss !== anchor.iss))
    refuse("issuer_untrusted", "3k", 0, "iss is not the issuer whose key verified the signature");
  if (anchor && !mayAssert(anchor.anchors, claims))
    refuse("issuer_untrusted", "3k", 0, "its issuer may not assert this tenant or principal");
  const jwk = holderKey(claims, "3l", 0);
  const details = claims["authorization_details"];
  const tools = Array.isArray(details)
    ? grantedTools(token, details, { shape: "3m", content: "3n" }, limits, 0)
    : undefined;
  if (!tools) refuse("malformed_delegation", "3m", 0, "authorization_details has no grant entry");
  return {
    claims: {
      jti,
      iss,
      ...ordinaryClaims(claims, 0),
      iat,
      exp,
      depth: 0,
      maxDepth,
      holder: thumbprint(jwk),
      jwk,
      hash: signingHash(token),
      restrictions,
    },
    tools,
    audience: claims["aud"],
    issuerKey: anchor ? thumbprint(anchor.jwk) : "",
  };
}
