import { DEFAULT_LIMITS } from "@behest/delegation";
import type { EvidenceBundle } from "@behest/provenance";
import type { ChainSource } from "./chains.ts";
import { entriesOf } from "./parts.ts";

/** Tokens of one chain: a longer one does not verify, and is not walked to its end. */
export const LONGEST: number = DEFAULT_LIMITS.maxDelegationDepth + 2;

/** Chains out of a bundle: the tokens that its delegation entries name, along their links. */
export function sourceOf(bundle: EvidenceBundle): ChainSource {
  const byHash = new Map<string, { readonly leaf: string; readonly parent: string | undefined }>();
  const byLeaf = new Map<string, string>();
  for (const { hash, payload } of entriesOf(bundle))
    if (payload.type === "delegation") {
      byHash.set(hash, { leaf: payload.leaf, parent: payload.links.parent });
      byLeaf.set(payload.leaf, hash);
    }
  const own = <T>(members: { readonly [name: string]: T }, name: string): T | undefined =>
    Object.hasOwn(members, name) ? members[name] : undefined;
  return {
    async chain(leaf) {
      const chain: string[] = [];
      let at = byHash.get(byLeaf.get(leaf) ?? "");
      for (; at && chain.length < LONGEST; at = byHash.get(at.parent ?? "")) {
        const token = own(bundle.tokens, at.leaf);
        if (token === undefined) return undefined;
        chain.unshift(token);
      }
      return chain.length > 0 ? { chain } : undefined;
    },
    async subject(pseudonym) {
      return own(bundle.principals, pseudonym);
    },
  };
}
