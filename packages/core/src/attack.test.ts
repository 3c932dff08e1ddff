// What was tried against the enforcement point and once worked, or came close.
import { generateHolder, grants, holderOf, issueDelegation } from "@behest/delegation";
import { type Signer, generateSigner, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { expect, test } from "vitest";
import { callTool, spawn } from "./adapter.ts";
import { currentSession, useCredential } from "./session/ambient.ts";
import { createFrom } from "./behest.ts";
import { memoryStore } from "./store/memory.ts";
import { testBehest } from "./testing.ts";
import type { Session } from "./types.ts";

const tools = grants({ read: {}, wipe: {} }, { read: true, wipe: true });
const readOnly = grants({ read: {} }, { read: true });
const never = async (): Promise<never> => expect.unreachable("a tool body ran");

test("an issuer's key asserts its own subjects, not those of another key of the same issuer", async () => {
  const [owner, k1, k2, enforcer, holder] = [
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
      { iss, jwk: k1.jwk, subjects: ["alice"] },
      { iss, jwk: k2.jwk, subjects: ["bob"] },
    ],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
  await using behest = await createFrom({ trust, signer: enforcer, store: memoryStore(), holder });
  const root = (principal: string, by: Signer) =>
    issueDelegation({ issuer: iss, holder: holder.jwk, principal, task: "t", tools, expiresIn: "1h" }, by);
  expect((await behest.open(await root("alice", k1))).principal).toBe("alice");
  await expect(behest.open(await root("alice", k2))).rejects.toMatchObject({ code: "issuer_not_allowed" });
});

test("an issuer whose range lies ahead in the log issues nothing yet", async () => {
  const [owner, issuer, enforcer, holder] = [
    await generateSigner(),
    await generateSigner(),
    await generateSigner(),
    await generateHolder(),
  ];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [{ iss: "https://i.test", jwk: issuer.jwk, from: 1_000_000 }],
    enforcers: [{ jwk: enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const trust = { owner: thumbprint(owner.jwk), manifest: await signTrust(manifest, owner) };
  await using behest = await createFrom({ trust, signer: enforcer, store: memoryStore(), holder });
  const root = await issueDelegation(
    { issuer: "https://i.test", holder: holder.jwk, principal: "a", task: "t", tools, expiresIn: "1h" },
    issuer,
  );
  await expect(behest.open(root)).rejects.toMatchObject({ code: "delegation_invalid" });
});

test("nothing is done that no verifier would accept: the entry key's certificate runs out", async () => {
  let now = Date.now();
  await using behest = await testBehest({ clock: () => now });
  const session = await behest.as("alice", tools);
  now += 91 * 86_400_000;
  await expect(behest.as("alice", tools)).rejects.toMatchObject({ code: "trust_invalid" });
  await expect(session.perform({ tool: "read", args: {} }, never)).rejects.toMatchObject({
    code: "session_ended",
  });
});

test("a holder is whoever signs with the key, not who says so, and never another role's key", async () => {
  await using behest = await testBehest();
  const [mine, victim] = [await generateHolder(), await generateHolder()];
  const root = (jwk: Signer["jwk"]) =>
    issueDelegation(
      { issuer: behest.issuer.iss, holder: jwk, principal: "v", task: "t", tools, expiresIn: "1h" },
      behest.issuer.signer,
    );
  const stolen = await root(victim.jwk);
  await expect(
    behest.open(stolen, { holder: { ...mine, thumbprint: victim.thumbprint } }),
  ).rejects.toMatchObject({ code: "holder_mismatch" });
  await expect(behest.open(stolen, { holder: { ...mine, jwk: victim.jwk } })).rejects.toMatchObject({
    code: "holder_mismatch",
  });
  const { signer } = behest.issuer;
  await expect(behest.open(await root(signer.jwk), { holder: holderOf(signer) })).rejects.toMatchObject({
    code: "key_readable",
  });
});

test("what throws before a body starts leaves nothing begun", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", tools);
  const signal = { aborted: false, addEventListener() {}, removeEventListener() {} } as never;
  const call = { tool: "wipe", args: {}, callId: "1" };
  await expect(callTool(session, { ...call, signal }, never)).rejects.toBeInstanceOf(TypeError);
  expect(await callTool(session, call, async () => "ran")).toBe("ran");
});

test("a spawn of a run that cannot be taken up again is not repeated", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", tools);
  let wiped = 0;
  const child = async (own: Session): Promise<string> => {
    await own.perform({ tool: "wipe", args: {} }, async () => void wiped++);
    throw new Error("503");
  };
  const call = { tool: "cleaner", args: {}, callId: "c1", turn: "t1" };
  await expect(spawn(session, call, { tools }, child)).rejects.toThrow("503");
  await expect(spawn(session, call, { tools }, child)).rejects.toMatchObject({ code: "already_done" });
  expect(wiped).toBe(1);
});

test("a request that its maker changes afterwards is still the one that was asked", async () => {
  await using behest = await testBehest();
  const root = await behest.as("alice", tools);
  const request = { tools: readOnly };
  const pending = root.delegate(request);
  request.tools = tools as typeof readOnly;
  const child = await pending;
  await expect(child.perform({ tool: "wipe", args: {} }, never)).rejects.toMatchObject({
    code: "tool_not_granted",
  });
});

test("a tool body reaches neither its session's parent, nor its deployment, nor its grants", async () => {
  await using behest = await testBehest({ credentials: async () => ({ name: "n", value: "secret" }) });
  const root = await behest.as("alice", tools);
  const child = await root.delegate({ agent: "c", tools: readOnly });
  await child.perform({ tool: "read", args: {} }, async () => {
    const own = currentSession();
    expect(Object.keys(own).toSorted()).toEqual([
      "agent",
      "authorize",
      "delegate",
      "id",
      "perform",
      "principal",
      "run",
      "signal",
    ]);
    expect(Object.isFrozen(own)).toBe(true);
    const forged = Object.create(own, { tools: { value: tools } }) as Session;
    await expect(callTool(forged, { tool: "wipe", args: {} }, never)).rejects.toMatchObject({
      code: "no_session",
    });
    await expect(own.perform({ tool: "wipe", args: {} }, never)).rejects.toMatchObject({
      code: "tool_not_granted",
    });
  });
});

test("a credential is gone when the body has ended", async () => {
  await using behest = await testBehest({ credentials: async () => ({ name: "n", value: "secret" }) });
  const session = await behest.as("alice", tools);
  let later: Promise<unknown> = Promise.resolve();
  let ended = (): void => {};
  await session.perform({ tool: "read", args: {} }, async () => {
    expect(useCredential()).toBe("secret");
    const over = new Promise<void>((resolve) => (ended = resolve));
    later = over.then(() => useCredential());
  });
  ended();
  await expect(later).rejects.toMatchObject({ code: "no_session" });
});

test("a chain that names its audience can be handed on", async () => {
  await using behest = await testBehest();
  const root = await issueDelegation(
    {
      issuer: behest.issuer.iss,
      holder: behest.holder.jwk,
      principal: "a",
      task: "t",
      tools,
      expiresIn: "1h",
      audience: "behest.test/log",
    },
    behest.issuer.signer,
  );
  const child = await (await behest.open(root)).delegate({ tools: readOnly });
  expect(await child.perform({ tool: "read", args: {} }, async () => 1)).toMatchObject({ outcome: "done" });
});
