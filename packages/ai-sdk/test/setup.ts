// For tests: what the processes of one deployment are told.
import { type Delegation, issueDelegation } from "@behest/delegation";
import { type PrivateJwk, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { signTrust } from "@behest/provenance";

/** What all processes are told; each takes of the keys only what is its own. */
export interface Setup {
  readonly trust: { readonly owner: string; readonly manifest: string };
  readonly enforcer: PrivateJwk;
  readonly holder: PrivateJwk;
  readonly approver: PrivateJwk;
  readonly root: Delegation;
}

/** Keys and a delegation under which a person has to approve each payment. */
export async function setup(): Promise<Setup> {
  const [owner, issuer, enforcer, holder, approver] = (await Promise.all(
    Array.from({ length: 5 }, () => generatePrivateJwk()),
  )) as [PrivateJwk, PrivateJwk, PrivateJwk, PrivateJwk, PrivateJwk];
  const iss = "https://issuer.test";
  const manifest = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "behest.test/log",
      rung: "local",
      issuers: [{ iss, jwk: signerOf(issuer).jwk, rung: "local" }],
      enforcers: [{ jwk: signerOf(enforcer).jwk }],
      approvers: [{ group: "finance", person: "cfo", jwk: signerOf(approver).jwk }],
      revokers: [],
      witnesses: [],
    },
    signerOf(owner),
  );
  const root = await issueDelegation(
    {
      issuer: iss,
      holder: signerOf(holder).jwk,
      principal: "alice",
      task: "t",
      tools: { pay: {}, look: {} },
      expiresIn: "1h",
      approvals: { pay: { finance: 1 } },
    },
    signerOf(issuer),
  );
  return { trust: { owner: thumbprint(signerOf(owner).jwk), manifest }, enforcer, holder, approver, root };
}
