import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AatTools, type RestrictionRequest, issueDelegation } from "@behest/delegation";
import { type Signer, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { signTrust } from "@behest/provenance";

/**
 * Leaves in `folder` what a process needs to enforce: made here, where the other keys are. Answers with the key of
 * the one person of `finance`.
 */
export async function deployment(
  folder: string,
  tools: AatTools,
  restrictions: RestrictionRequest = {},
): Promise<Signer> {
  const keys = await Promise.all(Array.from({ length: 5 }, generatePrivateJwk));
  const [owner, issuer, enforcer, holder, cfo] = keys.map((key) => signerOf(key)) as [
    Signer,
    Signer,
    Signer,
    Signer,
    Signer,
  ];
  const iss = "https://issuer.test";
  const manifest = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "behest.test/log",
      rung: "local",
      issuers: [{ iss, jwk: issuer.jwk, rung: "local" }],
      enforcers: [{ jwk: enforcer.jwk }],
      approvers: [{ group: "finance", person: "cfo", jwk: cfo.jwk }],
      revokers: [],
      witnesses: [],
    },
    owner,
  );
  const claims = {
    issuer: iss,
    holder: holder.jwk,
    principal: "alice",
    task: "t",
    tools,
    expiresIn: "1h",
    maxDepth: 4,
    ...restrictions,
  } as const;
  const token = await issueDelegation(claims, issuer);
  const left = {
    owner: thumbprint(owner.jwk),
    manifest,
    enforcer: keys[2],
    holder: keys[3],
    delegation: { token, tools },
  };
  writeFileSync(join(folder, "deployment.json"), JSON.stringify(left), { mode: 0o600 });
  return cfo;
}
