import { generateHolder } from "@behest/delegation";
import { type ApprovalStatement, signApproval } from "@behest/provenance";
import { expect, test } from "vitest";
import type { Asked } from "./approval.ts";
import type { Deployment } from "../deployment.ts";
import { decided } from "./standing.ts";

test("a person whose key is in the chain does not approve with another one", async () => {
  const [first, second, other] = [await generateHolder(), await generateHolder(), await generateHolder()];
  const approvers = [
    { group: "finance", person: "cfo", jwk: first.jwk },
    { group: "finance", person: "cfo", jwk: second.jwk },
    { group: "finance", person: "controller", jwk: other.jwk },
  ];
  const about = {
    action: "a",
    leaf: "A".repeat(43),
    tool: "pay",
    args: "A".repeat(43),
    nonce: "A".repeat(43),
  };
  const asked = { about, needs: [{ group: "finance", persons: 1 }] } as unknown as Asked;
  const statement: ApprovalStatement = {
    v: 1,
    decision: "approve",
    about: [about],
    group: "finance",
    iat: 1000,
    exp: 2000,
  };
  const judged = async (by: typeof first, chain: readonly (typeof first)[]) =>
    decided(
      { manifest: { approvers } } as unknown as Deployment,
      asked,
      new Set(chain.map(({ jwk }) => jwk.x)),
      await signApproval(statement, by),
      1_500_000,
    );
  await expect(judged(second, [])).resolves.toMatchObject({ person: "cfo" });
  await expect(judged(first, [first])).rejects.toThrow("not an approver");
  await expect(judged(second, [first])).rejects.toThrow("not an approver");
  await expect(judged(other, [first])).resolves.toMatchObject({ person: "controller" });
});
