import { type Behest, createBehest, sqliteStore } from "@behest/core";
import { type Delegation, grants, holderOf, issueDelegation } from "@behest/delegation";
import { type PrivateJwk, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { ALL, profiles } from "./calls.ts";

/** What outlives a process, as JSON: its keys, and the delegation that it acts under. */
export interface Deployment {
  /** What a verifier pins. */
  readonly owner: string;
  readonly manifest: string;
  readonly enforcer: PrivateJwk;
  readonly holder: PrivateJwk;
  readonly delegation: Delegation;
}

const ISSUER = "https://issuer.test";

export async function newDeployment(): Promise<Deployment> {
  const [owner, issuer] = [signerOf(await generatePrivateJwk()), signerOf(await generatePrivateJwk())];
  const [enforcer, holder] = [await generatePrivateJwk(), await generatePrivateJwk()];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date().toISOString(),
    origin: "crash.test/log",
    rung: "local",
    issuers: [{ iss: ISSUER, jwk: issuer.jwk, rung: "local" }],
    enforcers: [{ jwk: signerOf(enforcer).jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const tools = Object.fromEntries(ALL.map(({ tool }) => [tool, {}]));
  const claims = {
    issuer: ISSUER,
    holder: signerOf(holder).jwk,
    principal: "alice",
    task: "crash",
    tools: grants(tools, Object.fromEntries(ALL.map(({ tool }) => [tool, true as const]))),
    expiresIn: "1d",
  } as const;
  return {
    owner: thumbprint(owner.jwk),
    manifest: await signTrust(manifest, owner),
    enforcer,
    holder,
    delegation: await issueDelegation(claims, issuer),
  };
}

/** Behest as one process of this deployment runs it. */
export function behestOf({ owner, manifest, enforcer, holder }: Deployment, store: string): Promise<Behest> {
  return createBehest({
    trust: { owner, manifest },
    signer: signerOf(enforcer),
    holder: holderOf(holder),
    store: sqliteStore(store),
    profiles,
  });
}
