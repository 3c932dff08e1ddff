import {
  type Delegation,
  deriveDelegation,
  generateHolder,
  grants,
  issueDelegation,
} from "@behest/delegation";
import { type Signer, generateSigner, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { expect, test } from "vitest";
import { createFrom } from "../behest.ts";
import { liveOf } from "./session.ts";
import { memoryStore } from "../store/memory.ts";
import { type TestBehest, testBehest } from "../testing.ts";

const tools = grants({ read: {} }, { read: true });
/** Another signature: one character in its middle changed. */
const flipped = (token: string): string => {
  const at = token.lastIndexOf(".") + 40;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
};

const root = (behest: TestBehest, over: object = {}, signer = behest.issuer.signer): Promise<Delegation> =>
  issueDelegation(
    {
      issuer: behest.issuer.iss,
      holder: behest.holder.jwk,
      principal: "alice",
      task: "t",
      tools,
      expiresIn: "1h",
      maxDepth: 3,
      ...over,
    },
    signer,
  );

test("a delegation opens from an object, its JSON or its token, and names who stands behind it", async () => {
  await using behest = await testBehest();
  const { chain } = await root(behest);
  for (const form of [{ chain }, chain, JSON.stringify({ chain }), chain[0]!])
    expect((await behest.open(form)).principal).toBe("alice");
});

test("a chain opens on its leaf, under the name its parent gave it", async () => {
  await using behest = await testBehest();
  const other = await generateHolder();
  const child = await deriveDelegation(
    await root(behest),
    { holder: other.jwk, tools, agent: "reader" },
    behest.holder,
  );
  const session = await behest.open(child, { holder: other });
  expect([session.principal, session.agent]).toEqual(["alice", "reader"]);
});

test("whatever is wrong with a delegation, nothing opens, under one stable code", async () => {
  let now = Date.now();
  await using behest = await testBehest({ clock: () => now });
  const good = await root(behest);
  const stranger = await generateSigner();
  const refused = async (delegation: string | Delegation, code: string, options = {}): Promise<void> => {
    const error = await behest.open(delegation, options).then(
      () => expect.unreachable(),
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(good.chain[0]!.split(".")[2]!);
  };
  await refused("", "delegation_invalid");
  await refused("{}", "delegation_invalid");
  await refused("a.b.c", "delegation_invalid");
  await refused({ chain: [] }, "delegation_invalid");
  await refused(await root(behest, {}, stranger), "delegation_invalid");
  await refused(await root(behest, { issuer: "https://else.test" }), "delegation_invalid");
  await refused(flipped(good.chain[0]!), "delegation_invalid");
  await refused(good, "holder_mismatch", { holder: await generateHolder() });
  now += 3_700_000;
  await refused(good, "delegation_expired");
});

test("an issuer speaks only for the subjects and tenants that the manifest gives it", async () => {
  const [owner, people, teams, enforcer, holder] = [
    await generateSigner(),
    await generateSigner(),
    await generateSigner(),
    await generateSigner(),
    await generateHolder(),
  ];
  const iss = "https://issuer.test";
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [
      { iss, jwk: people.jwk, subjects: ["alice"] },
      { iss, jwk: teams.jwk, tenants: ["acme"], subjects: "*" },
    ],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
  await using behest = await createFrom({ trust, signer: enforcer, store: memoryStore(), holder });
  const open = async (principal: string, tenant: string | undefined, by: Signer) => {
    const claims = { issuer: iss, holder: holder.jwk, principal, task: "t", tools, expiresIn: "1h" } as const;
    return behest.open(await issueDelegation({ ...claims, ...(tenant !== undefined && { tenant }) }, by));
  };
  const alice = await open("alice", undefined, people);
  expect(alice.principal).toBe("alice");
  const bob = await open("bob", "acme", teams);
  expect(liveOf(bob)?.parts.hops[0]?.tenant).toBe("acme");
  expect(liveOf(await bob.delegate({ tools }))?.parts.hops[0]?.tenant).toBe("acme");
  for (const [principal, tenant, by] of [
    ["bob", undefined, people],
    ["bob", "acme", people],
    ["bob", "globex", teams],
    ["bob", undefined, teams],
  ] as const)
    await expect(open(principal, tenant, by)).rejects.toMatchObject({ code: "issuer_not_allowed" });
});

test("a manifest of another owner, and a signer that no manifest names, start nothing", async () => {
  const [owner, issuer, enforcer] = [await generateSigner(), await generateSigner(), await generateSigner()];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [{ iss: "https://i.test", jwk: issuer.jwk }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const jws = await signTrust(manifest, owner);
  const config = { signer: enforcer, store: memoryStore() };
  const pin = thumbprint(owner.jwk);
  await expect(
    createFrom({ ...config, trust: { owner: thumbprint(issuer.jwk), manifest: jws } }),
  ).rejects.toMatchObject({ code: "trust_invalid" });
  await expect(
    createFrom({ ...config, trust: { owner: pin, manifest: flipped(jws) } }),
  ).rejects.toMatchObject({ code: "trust_invalid" });
  await expect(
    createFrom({ ...config, trust: { owner: pin, manifest: jws }, signer: await generateSigner() }),
  ).rejects.toMatchObject({ code: "trust_invalid" });
});

test("a signer may be a slow KMS; one whose signatures are not its key's starts nothing", async () => {
  const [owner, issuer, enforcer] = [await generateSigner(), await generateSigner(), await generateSigner()];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [{ iss: "https://i.test", jwk: issuer.jwk }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
  const start = (sign: Signer["sign"]) =>
    createFrom({ trust, signer: { jwk: enforcer.jwk, sign }, store: memoryStore() });
  const slow = await start(async (bytes) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return enforcer.sign(bytes);
  });
  await slow.close();
  const stranger = await generateSigner();
  for (const wrong of [
    (bytes: Uint8Array) => stranger.sign(bytes),
    async (bytes: Uint8Array) => (await enforcer.sign(bytes)).slice(1),
    async (bytes: Uint8Array) => enforcer.sign(bytes.slice(1)),
    () => new Uint8Array(64),
  ])
    await expect(start(wrong)).rejects.toMatchObject({ code: "trust_invalid" });
  const down = (): never => {
    throw new Error("KMS: access denied");
  };
  await expect(start(down)).rejects.toMatchObject({ code: "config_invalid" });
});

test("an enforcing process that holds an issuer's or the owner's key refuses to start", async () => {
  const [owner, issuer, enforcer] = [await generateSigner(), await generateHolder(), await generateSigner()];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [{ iss: "https://i.test", jwk: issuer.jwk }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
  const config = { trust, signer: enforcer, store: memoryStore() };
  await expect(createFrom({ ...config, holder: issuer })).rejects.toMatchObject({ code: "key_readable" });
  await expect(createFrom({ ...config, signer: owner })).rejects.toMatchObject({ code: "key_readable" });
});

test("a closed Behest opens nothing and its sessions are over", async () => {
  const behest = await testBehest();
  const session = await behest.as("alice", tools);
  await behest.close();
  expect(session.signal.aborted).toBe(true);
  await expect(behest.as("alice", tools)).rejects.toMatchObject({ code: "session_ended" });
  await expect(
    session.perform({ tool: "read", args: {} }, async () => expect.unreachable()),
  ).rejects.toBeDefined();
});
