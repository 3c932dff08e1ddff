import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { type ActionOptions, DelegationError, type PublicJwk, verifyAction } from "./index.ts";

interface Vector {
  readonly id: string;
  readonly title: string;
  readonly now: number;
  readonly policy: {
    readonly audience: string;
    readonly require_chain_aud: boolean;
    readonly require_pop_aud: boolean;
    readonly require_nonce: boolean;
    readonly nonce: string | null;
    readonly track_jti: boolean;
    readonly seen_jti: readonly string[];
    readonly max_iat_skew: number;
    readonly max_token_lifetime: number;
    readonly max_delegation_depth: number;
    readonly max_constraint_depth: number;
    readonly pop_window: number;
    readonly max_token_size: number;
    readonly max_chain_size: number;
  };
  readonly anchors: readonly { readonly iss: string; readonly jwk: PublicJwk }[];
  readonly chain: readonly string[];
  readonly pop: string | null;
  readonly tool: string;
  readonly args_json: string;
  readonly expect: "permit" | "deny";
  readonly step: string | null;
  readonly steps_ok: readonly string[];
}

const file = resolve(import.meta.dirname, "../../../../shared/vectors/aat.json");
const vectors = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Vector[]) : [];
if (vectors.length === 0) console.log("skipped: conformance vectors (../shared/vectors/aat.json is absent)");

test.skipIf(vectors.length === 0)("every vector of the draft gets its verdict, at a right step", async () => {
  const wrong: string[] = [];
  for (const vector of vectors) {
    const { verdict, step } = await judge(vector);
    const right = verdict === vector.expect && (verdict === "permit" || vector.steps_ok.includes(step ?? ""));
    if (!right)
      wrong.push(
        `${vector.id} (${vector.title}): ${verdict} ${step ?? ""}, not ${vector.expect} ${vector.step ?? ""}`,
      );
  }
  expect(wrong).toEqual([]);
});

async function judge({
  policy,
  ...vector
}: Vector): Promise<{ verdict: "permit" | "deny"; step?: string | undefined }> {
  const options: ActionOptions = {
    issuers: vector.anchors,
    audience: policy.audience,
    requireChainAudience: policy.require_chain_aud,
    requireProofAudience: policy.require_pop_aud,
    requireNonce: policy.require_nonce,
    nonce: policy.nonce,
    ...(policy.track_jti && { replay: new Set(policy.seen_jti) }),
    now: vector.now,
    limits: {
      maxIatSkew: policy.max_iat_skew,
      maxTokenLifetime: policy.max_token_lifetime,
      maxDelegationDepth: policy.max_delegation_depth,
      maxConstraintDepth: policy.max_constraint_depth,
      proofWindow: policy.pop_window,
      maxTokenSize: policy.max_token_size,
      maxChainSize: policy.max_chain_size,
    },
  };
  const action = {
    chain: vector.chain,
    proof: vector.pop as string,
    tool: vector.tool,
    args: vector.args_json,
  };
  try {
    await verifyAction(action, options);
    return { verdict: "permit" };
  } catch (error) {
    if (!DelegationError.isInstance(error)) throw error;
    return { verdict: "deny", step: error.step };
  }
}
