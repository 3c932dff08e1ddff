import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Behest, createBehest, sqliteStore } from "@behest/core";
import { type Delegation, grants, holderOf, issueDelegation } from "@behest/delegation";
import { type PrivateJwk, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { ALL, PERSONS, planOf, profiles } from "./calls.ts";
import { flawed } from "./flaws.ts";
import type { Task } from "./life.ts";

/** What outlives a process, as JSON: its keys, and the delegation that it acts under. */
export interface Deployment {
  /** What a verifier pins. */
  readonly owner: string;
  readonly manifest: string;
  readonly enforcer: PrivateJwk;
  readonly holder: PrivateJwk;
  readonly delegation: Delegation;
  /** The same, but one person is enough for everything that waits. */
  readonly lax: Delegation;
}

const ISSUER = "https://issuer.test";

/** Whose members decide on what waits. */
export const GROUP = "finance";

/** `persons`: the keys of those who approve, which no agent has. */
export async function newDeployment(): Promise<{ deployment: Deployment; persons: PrivateJwk[] }> {
  const [owner, issuer] = [signerOf(await generatePrivateJwk()), signerOf(await generatePrivateJwk())];
  const [enforcer, holder] = [await generatePrivateJwk(), await generatePrivateJwk()];
  const persons = await Promise.all(Array.from({ length: PERSONS }, generatePrivateJwk));
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date().toISOString(),
    origin: "crash.test/log",
    rung: "local",
    issuers: [{ iss: ISSUER, jwk: issuer.jwk, rung: "local" }],
    enforcers: [{ jwk: signerOf(enforcer).jwk }],
    approvers: persons.map((key, n) => ({ group: GROUP, person: `person-${n}`, jwk: signerOf(key).jwk })),
    revokers: [],
    witnesses: [],
  };
  const tools = Object.fromEntries(ALL.map(({ tool }) => [tool, {}]));
  const waiting = ALL.flatMap(({ tool }) => {
    const plan = planOf(tool);
    return plan ? [{ tool, need: plan.need }] : [];
  });
  const issue = (need: (plan: { need: number }) => number): Promise<Delegation> =>
    issueDelegation(
      {
        issuer: ISSUER,
        holder: signerOf(holder).jwk,
        principal: "alice",
        task: "crash",
        tools: grants(tools, Object.fromEntries(ALL.map(({ tool }) => [tool, true as const]))),
        expiresIn: "1d",
        approvals: Object.fromEntries(waiting.map((plan) => [plan.tool, { [GROUP]: need(plan) }])),
      },
      issuer,
    );
  const deployment = {
    owner: thumbprint(owner.jwk),
    manifest: await signTrust(manifest, owner),
    enforcer,
    holder,
    delegation: await issue(({ need }) => need),
    lax: await issue(() => 1),
  };
  return { deployment, persons };
}

export function readDeployment(file: string): Deployment {
  return JSON.parse(readFileSync(file, "utf8")) as Deployment;
}

/** Behest as one process of this deployment runs it. */
export async function behestOf(
  { owner, manifest, enforcer, holder }: Deployment,
  { root, url, flaw }: Pick<Task, "root" | "url" | "flaw">,
): Promise<Behest> {
  const store =
    url === undefined
      ? sqliteStore(join(root, "store", "log.sqlite"))
      : (await import("./postgres/open.ts")).openPostgres(url, flaw);
  return createBehest({
    trust: { owner, manifest },
    signer: signerOf(enforcer),
    holder: holderOf(holder),
    store: flawed(store, flaw),
    policy: "grants-alone",
    profiles,
  });
}
