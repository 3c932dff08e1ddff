import { type Delegation, type IssueClaims, issueDelegation } from "@behest/delegation";
import type { BehestConfig } from "../src/behest.ts";
import { type TestBehest, testBehest } from "../src/testing.ts";
import type { OpenOptions, Session } from "../src/types.ts";

/** A whole deployment in memory, without policies, whose issuer also restricts. */
export interface RestrictedBehest extends TestBehest {
  issue(claims: Partial<IssueClaims>): Promise<Delegation>;
  opened(claims: Partial<IssueClaims>, options?: OpenOptions): Promise<Session>;
}

export async function restrictedBehest(
  tools: IssueClaims["tools"],
  config: Partial<BehestConfig> = {},
): Promise<RestrictedBehest> {
  const behest = await testBehest({ policy: "grants-alone", ...config });
  const { iss, signer } = behest.issuer;
  const issue: RestrictedBehest["issue"] = (claims) =>
    issueDelegation(
      {
        issuer: iss,
        holder: behest.holder.jwk,
        principal: "alice",
        task: "t",
        tools,
        expiresIn: "1h",
        maxDepth: 8,
        now: Math.floor((config.clock ?? Date.now)() / 1000),
        ...claims,
      },
      signer,
    );
  return {
    ...behest,
    issue,
    opened: async (claims, options) => behest.open(await issue(claims), options),
  };
}
