import { type PublicKey, publicKey } from "@behest/jws";
import type { Anchor } from "../keys/anchor.ts";
import { verifyChild } from "./child.ts";
import { suffices } from "./consent.ts";
import { MOST_OF_CHAIN, newEffort } from "../constraints/effort.ts";
import { DelegationError } from "../error.ts";
import type { Clock, Hop } from "./hop.ts";
import { verifyRoot } from "./root.ts";
import { type Token, isObject, openToken, refuse } from "./token.ts";

/** A chain that passed steps 1 to 5. */
export interface VerifiedChain {
  /** Root first, at least one. */
  readonly hops: readonly Hop[];
  readonly leaf: Hop;
  /** Thumbprint of the issuer's key; empty when the issuer was not judged. */
  readonly issuerKey: string;
  readonly root: Token;
}

/**
 * Steps 1 to 5. For deciding, with anchors. `"unjudged"`: the root's signature and issuer are not checked, where
 * only the holder's side knows the chain. `"known"`: no signature is, as each was made or verified a moment ago.
 */
export async function verifyChain(
  chain: readonly string[],
  anchors: readonly Anchor[] | "unjudged" | "known",
  clock: Clock,
): Promise<VerifiedChain> {
  const [first, ...rest] = openChain(chain, clock);
  const root = await verifyRoot(first, anchors === "known" ? "unjudged" : anchors, clock);
  const hops: Hop[] = [root];
  // For the whole chain, or every hop would be another chance to keep the verifier busy.
  const effort = newEffort(MOST_OF_CHAIN);
  let parent: Hop = root;
  let key: PublicKey | "known" | undefined = anchors === "known" ? "known" : undefined;
  for (const token of rest) {
    const hop = hops.length;
    // In one process parent and child may be bound to the same key; importing one is a third of verifying.
    if (key !== "known" && key?.jwk.x !== parent.claims.jwk.x) key = publicKey(parent.claims.jwk);
    const child = await verifyChild(token, parent, key!, hop, clock, effort);
    // Ours: nobody on the way may speak for another principal.
    if (child.claims.sub !== undefined && child.claims.sub !== root.claims.sub)
      throw new DelegationError("principal_changed", `token ${hop}: sub is not the root's`, { hop });
    if (child.claims.tenant !== undefined && child.claims.tenant !== root.claims.tenant)
      throw new DelegationError("principal_changed", `token ${hop}: tenant is not the root's`, { hop });
    hops.push(child);
    parent = child;
  }
  if (hops.length !== parent.claims.depth + 1)
    refuse("chain_broken", "5", hops.length - 1, "the chain's length is not its leaf's depth plus 1");
  const { consent } = parent.claims.restrictions ?? {};
  if (consent && !suffices(consent, root.claims.consent ?? { rung: "local" }))
    refuse("consent_insufficient", "bhst", 0, "the root's consent is less than what is demanded");
  return { hops, leaf: parent, issuerKey: root.issuerKey, root: first };
}

/** Steps 1 and 2. */
function openChain(chain: readonly string[], { limits }: Clock): [Token, ...Token[]] {
  let size = 0;
  for (const [hop, text] of chain.entries()) {
    // In UTF-16 units: a token outside ASCII is refused below, whatever its size in bytes.
    if (!(text.length <= limits.maxTokenSize)) refuse("malformed_delegation", "2a", hop, "too large");
    size += text.length;
  }
  if (!(size <= limits.maxChainSize)) refuse("malformed_delegation", "2b", 0, "the chain is too large");
  const seen = new Set<string>();
  const tokens = chain.map((text, hop) => {
    const token = openToken(text);
    const claims = token?.payload?.value;
    const jti = isObject(claims) ? claims["jti"] : undefined;
    if (!token || typeof jti !== "string")
      return refuse("malformed_delegation", "2c", hop, "not a compact JWS over claims with a jti");
    if (seen.has(jti)) refuse("chain_broken", "2c", hop, "a jti is repeated");
    seen.add(jti);
    return token;
  });
  const [first, ...rest] = tokens;
  if (!first) throw new DelegationError("malformed_delegation", "1: the chain is empty", { step: "1" });
  return [first, ...rest];
}
