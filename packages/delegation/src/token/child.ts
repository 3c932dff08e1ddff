import { type PublicKey, thumbprint } from "@behest/jws";
import { placesIn, widenings } from "../constraints/compare.ts";
import type { AatTools } from "../constraints/constraint.ts";
import type { Effort } from "../constraints/effort.ts";
import { DelegationError } from "../error.ts";
import { type Clock, type Hop, date, grantedTools, holderKey, signingHash } from "./hop.ts";
import { isInteger } from "./number.ts";
import { ordinaryClaims } from "./ordinary.ts";
import { type Restrictions, looser } from "../restrictions/restrictions.ts";
import {
  THUMBPRINT_URI,
  TOKEN_TYPE,
  type Token,
  isText,
  refuse,
  verifiedClaims,
  verifyHeader,
  verifySignature,
} from "./token.ts";

/**
 * Step 4 for one pair, in order; `key` is the parent's holder key, imported, or `"known"` where the
 * signature is. `hop` is the child's index, `effort` what comparing the chain's grants may still cost.
 */
export async function verifyChild(
  token: Token,
  parent: Hop,
  key: PublicKey | "known",
  hop: number,
  { now, limits }: Clock,
  effort: Effort,
): Promise<Hop> {
  const held = parent.claims;
  const restrictions = verifyHeader(token, TOKEN_TYPE, "4a", hop);
  const verified = key === "known" || verifySignature(token, key);
  if (!(verified instanceof Promise ? await verified : verified))
    refuse("signature_invalid", "4b", hop, "the signature does not verify under the parent's holder key");
  const claims = verifiedClaims(token, "4b", hop);
  const jti = claims["jti"];
  if (!isText(jti)) refuse("malformed_delegation", "4b1", hop, "jti is empty");
  const jwk = holderKey(claims, "4b2", hop);
  const details = claims["authorization_details"];
  if (!Array.isArray(details))
    refuse("malformed_delegation", "4b3", hop, "authorization_details is not an array");
  const depth = claims["del_depth"];
  const maxDepth = claims["del_max_depth"];
  if (!isInteger(depth) || depth < 0 || !isInteger(maxDepth) || maxDepth < 0)
    refuse("malformed_delegation", "4b4", hop, "del_depth or del_max_depth is not a non-negative integer");
  const iss = claims["iss"];
  const parentHash = claims["par_hash"];
  if (typeof iss !== "string" || typeof parentHash !== "string")
    refuse("malformed_delegation", "4b5", hop, "iss or par_hash is not a string");
  const iat = date(claims, "iat", "4b5", hop);
  const exp = date(claims, "exp", "4b5", hop);
  if (iss !== THUMBPRINT_URI + held.holder)
    refuse("chain_broken", "4c", hop, "iss is not the parent's holder");
  if (depth !== held.depth + 1) refuse("chain_broken", "4d", hop, "del_depth is not the parent's plus 1");
  if (!(depth <= held.maxDepth)) refuse("depth_exceeded", "4e", hop, "the parent may not delegate further");
  if (!(depth <= limits.maxDelegationDepth)) refuse("depth_exceeded", "4f", hop, "the chain is too long");
  if (!(maxDepth <= held.maxDepth))
    refuse("wider_than_parent", "4g", hop, "del_max_depth is above the parent's");
  if (!(exp <= held.exp)) refuse("wider_than_parent", "4h", hop, "exp is after the parent's");
  if (!(exp > now)) refuse("delegation_expired", "4i", hop, "expired");
  if (!(iat >= held.iat)) refuse("lifetime_refused", "4j", hop, "iat is before the parent's");
  if (!(iat <= now + limits.maxIatSkew)) refuse("lifetime_refused", "4k", hop, "issued in the future");
  if (!(exp > iat)) refuse("lifetime_refused", "4l", hop, "exp is not after iat");
  if (!(depth <= maxDepth)) refuse("depth_exceeded", "4m", hop, "del_depth is above its own del_max_depth");
  const tools = grantedTools(token, details, { shape: "4n", content: "4o" }, limits, hop);
  refuseWider(parent, tools ?? {}, hop, effort);
  if (parentHash !== held.hash) refuse("chain_broken", "4q", hop, "par_hash is not the parent's");
  refuseLooser(held.restrictions, restrictions, hop);
  return {
    claims: {
      jti,
      iss,
      ...ordinaryClaims(claims, hop),
      iat,
      exp,
      depth,
      maxDepth,
      holder: thumbprint(jwk),
      jwk,
      hash: signingHash(token),
      restrictions,
    },
    tools,
    audience: claims["aud"],
  };
}

/** Step 4p, its parts in order. */
function refuseWider(parent: Hop, tools: AatTools, hop: number, effort: Effort): void {
  const found = widenings(parent.tools ?? {}, tools, effort);
  if (found.length === 0) return;
  const step = `4${found.map(({ rule }) => rule).toSorted()[0]!}`;
  const detail = { step, hop, wider: placesIn(found) };
  throw new DelegationError(
    "wider_than_parent",
    `${step}: token ${hop}: allows more than its parent`,
    detail,
  );
}

/** Ours, after step 4: a child keeps or tightens whatever restricts its parent, and drops none of it. */
function refuseLooser(parent: Restrictions | undefined, child: Restrictions | undefined, hop: number): void {
  const wider = looser(parent, child);
  if (wider.length === 0) return;
  const detail = { step: "bhst", hop, wider };
  throw new DelegationError(
    "wider_than_parent",
    `bhst: token ${hop}: is restricted less than its parent`,
    detail,
  );
}
