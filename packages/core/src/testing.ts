import { type AatTools, type Holder, generateHolder, issueDelegation } from "@behest/delegation";
import { type Signer, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, readTrust, signTrust, trustHash } from "@behest/provenance";
import { type BehestConfig, createFrom } from "./behest.ts";
import { memoryStore } from "./store/memory.ts";
import type { Behest, OpenOptions, Session } from "./types.ts";

/** A whole deployment in memory, every key included: for tests only. */
export interface TestBehest extends Behest {
  /** Issues a root delegation to `principal` and opens a session on it. */
  as(principal: string, tools: AatTools, options?: OpenOptions): Promise<Session>;
  readonly issuer: { readonly iss: string; readonly signer: Signer };
  readonly holder: Holder;
  /** What a verifier pins. */
  readonly owner: string;
  /** One of three persons (0 to 2) of a group: of `approvers`, and of `finance`, `legal`, `ops` or those that `groups` names. */
  approver(group: string, person?: number): Signer;
  /** May revoke everything. */
  readonly revoker: Signer;
  /** The first version of the trust manifest, as its owner signed it. */
  readonly firstTrust: string;
  /** Signs the version of the trust manifest after `before` (default: the first), for `trust`. */
  nextTrust(change: Partial<Manifest>, before?: string): Promise<string>;
}

const ISSUER = "https://issuer.test";
const GROUPS: readonly string[] = ["finance", "legal", "ops"];
/** The group that the shipped policies ask. */
const ASKED = "approvers";

/**
 * Behest with throw-away keys and, unless `config` says otherwise, a store in memory and the shipped policies, with one
 * difference: a tool without a profile is a matter of its grant alone, so that tests of grants need no profiles. With
 * `policy: "default"` it waits for a person, as it does in a deployment.
 */
export async function testBehest({
  groups = GROUPS,
  ...config
}: Partial<BehestConfig> & { readonly groups?: readonly string[] } = {}): Promise<TestBehest> {
  const [owner, issuer, enforcer, revoker] = await Promise.all([
    newSigner(),
    newSigner(),
    newSigner(),
    newSigner(),
  ]);
  const holder = config.holder ?? (await generateHolder());
  const people = await Promise.all(
    [...new Set([...groups, ASKED])].flatMap((group) =>
      [0, 1, 2].map(async (n) => ({ group, n, person: `${group}-${n}`, signer: await newSigner() })),
    ),
  );
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "behest.test/log",
    rung: "local",
    issuers: [{ iss: ISSUER, jwk: issuer.jwk, rung: "local" }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: people.map(({ group, person, signer }) => ({ group, person, jwk: signer.jwk })),
    revokers: [{ scope: "*", jwk: revoker.jwk }],
    witnesses: [],
  };
  const pin = thumbprint(owner.jwk);
  const first = await signTrust(manifest, owner);
  const behest = await createFrom(
    {
      trust: { owner: pin, manifest: first },
      signer: enforcer,
      store: memoryStore(config.clock ? { now: config.clock } : {}),
      ...config,
      holder,
    },
    config.policy === undefined ? "grants" : "policies",
  );
  return {
    ...behest,
    issuer: { iss: ISSUER, signer: issuer },
    holder,
    owner: pin,
    revoker,
    firstTrust: first,
    async nextTrust(change, before = first) {
      const current = await readTrust(before, pin);
      return signTrust({ ...current, seq: current.seq + 1, prev: trustHash(before), ...change }, owner);
    },
    approver(group, person = 0) {
      const found = people.find((one) => one.group === group && one.n === person);
      if (!found)
        throw new RangeError(
          `approver: no person ${person} of "${group}"; testBehest({ groups }) names others`,
        );
      return found.signer;
    },
    async as(principal, tools, options) {
      const claims = {
        issuer: ISSUER,
        holder: holder.jwk,
        principal,
        task: "test",
        tools,
        expiresIn: "1h",
        maxDepth: 8,
        now: Math.floor((config.clock ?? Date.now)() / 1000),
      } as const;
      return behest.open(await issueDelegation(claims, issuer), { holder, ...options });
    },
  };
}

async function newSigner(): Promise<Signer> {
  return signerOf(await generatePrivateJwk());
}
