import { generateHolder, issueDelegation } from "@behest/delegation";
import { type Signer, generateSigner, publicKey } from "@behest/jws";
import { readCut, readTrust, signCut } from "@behest/provenance";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { STORES, freshPath } from "../test/stores.ts";
import { judged } from "../test/trust.ts";
import { until } from "../test/until.ts";
import { createFrom } from "./behest.ts";
import { signDecision } from "./approval/approval.ts";
import { spanOf } from "./revocation/span.ts";
import { memoryStore } from "./store/memory.ts";
import { sqliteStore } from "./store/sqlite/store.ts";
import { engine as engineOf } from "./store/types.ts";
import { type TestBehest, testBehest } from "./testing.ts";

beforeEach(() => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const read = { tool: "read", args: {} };
const one = async (): Promise<number> => 1;

/** What the first version says. */
const manifestOf = ({ firstTrust, owner }: TestBehest) => readTrust(firstTrust, owner);

test.each(STORES)(
  "%s: the next version is an entry, and who it names is trusted from then on",
  async (_, make) => {
    const store = make();
    await using behest = await testBehest({ store });
    const { issuers } = await manifestOf(behest);
    const newcomer = await generateSigner();
    const claims = {
      holder: behest.holder.jwk,
      principal: "bob",
      task: "t",
      tools: { read: {} },
      expiresIn: "1h",
      maxDepth: 1,
    } as const;
    const delegation = await issueDelegation({ ...claims, issuer: "https://new.test" }, newcomer);
    await expect(behest.open(delegation)).rejects.toMatchObject({ code: "delegation_invalid" });
    const alice = await behest.as("alice", { read: {} });
    const next = await behest.nextTrust({
      issuers: [...issuers, { iss: "https://new.test", jwk: newcomer.jwk }],
    });
    await behest.trust(next);
    await (await behest.open(delegation)).perform(read, one);
    // Who is still trusted goes on.
    await alice.perform(read, one);
    // The same again changes nothing.
    await behest.trust(next);
    expect(await judged(store, behest.owner)).toEqual({ trust: 2, action: 2, keys: 2 });
  },
);

test("sessions of an issuer that is withdrawn end, spawned ones and running tools too; others go on", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const manifest = await manifestOf(behest);
  const second = await generateSigner();
  const both = await behest.nextTrust({
    issuers: [...manifest.issuers, { iss: "https://b.test", jwk: second.jwk }],
  });
  await behest.trust(both);
  const claims = {
    holder: behest.holder.jwk,
    principal: "bob",
    task: "t",
    tools: { read: {} },
    expiresIn: "1h",
    maxDepth: 3,
  } as const;
  const bob = await behest.open(await issueDelegation({ ...claims, issuer: "https://b.test" }, second));
  const alice = await behest.as("alice", { read: {} });
  const child = await alice.delegate({ tools: { read: {} } });
  let reason: unknown;
  const running = child.perform(read, async (_args, { signal }) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    reason = signal.reason;
    throw reason;
  });
  await until(async () => expect(await behest.records.list()).toHaveLength(1));
  const { issuers } = await readTrust(both, behest.owner);
  await behest.trust(await behest.nextTrust({ issuers: issuers.slice(1) }, both));
  expect(await running).toMatchObject({ outcome: "aborted" });
  expect(reason).toMatchObject({ code: "session_ended" });
  for (const session of [alice, child])
    await expect(session.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
  await expect(behest.as("alice", { read: {} })).rejects.toMatchObject({ code: "delegation_invalid" });
  await bob.perform(read, one);
  await judged(store, behest.owner);
});

test.each(STORES)(
  "%s: what is opened or decided while an issuer is withdrawn is recorded before that, or refused",
  async (_, make) => {
    const store = make();
    await using behest = await testBehest({ store });
    const claims = {
      holder: behest.holder.jwk,
      task: "t",
      tools: { read: {} },
      expiresIn: "1h",
      maxDepth: 1,
    } as const;
    const { iss, signer } = behest.issuer;
    const issued = await Promise.all(
      Array.from({ length: 40 }, (_one, i) =>
        issueDelegation({ ...claims, issuer: iss, principal: `p${i}` }, signer),
      ),
    );
    const next = await behest.nextTrust({ issuers: [] });
    const opened = issued.map(async (delegation, i) => {
      await new Promise((resolve) => setTimeout(resolve, i % 8));
      return behest.open(delegation);
    });
    const settled = Promise.allSettled(opened);
    await new Promise((resolve) => setTimeout(resolve, 4));
    await behest.trust(next);
    for (const one of await settled)
      if (one.status === "fulfilled") expect(one.value.signal.aborted).toBe(true);
      else
        expect(one.reason).toMatchObject({
          code: expect.stringMatching(/^(?:issuer_not_allowed|delegation_invalid)$/) as string,
        });
    await judged(store, behest.owner);
  },
);

test("an issuer that may no longer assert a subject loses the sessions of that one alone", async () => {
  await using behest = await testBehest();
  const { issuers } = await manifestOf(behest);
  const [alice, bob] = [await behest.as("alice", { read: {} }), await behest.as("bob", { read: {} })];
  await behest.trust(
    await behest.nextTrust({ issuers: issuers.map((issuer) => ({ ...issuer, subjects: ["bob"] })) }),
  );
  await expect(alice.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
  await bob.perform(read, one);
});

test("a process whose enforcer is withdrawn ends its sessions and starts nothing more", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const session = await behest.as("alice", { read: {} });
  await session.perform(read, one);
  const other = await generateSigner();
  const invalid = { code: "trust_invalid" };
  await expect(
    behest.trust(await behest.nextTrust({ enforcers: [{ jwk: other.jwk }] })),
  ).rejects.toMatchObject(invalid);
  expect(session.signal.aborted).toBe(true);
  await expect(session.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
  await expect(behest.as("alice", { read: {} })).rejects.toMatchObject(invalid);
  // The refusal is recorded, still under the version in force.
  expect(await judged(store, behest.owner)).toMatchObject({ trust: 1, action: 2 });
});

test("a version of another owner, another log, or out of turn changes nothing", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  await using other = await testBehest();
  const session = await behest.as("alice", { read: {} });
  const second = await behest.nextTrust({});
  const refused = async (manifest: string, code = "trust_invalid"): Promise<void> =>
    expect(behest.trust(manifest)).rejects.toMatchObject({ code });
  await refused(await other.nextTrust({}));
  await refused(await behest.nextTrust({ origin: "behest.test/other" }));
  await refused(await behest.nextTrust({}, second));
  await refused(await behest.nextTrust({ prev: "A".repeat(43) }));
  await refused(await behest.nextTrust({ seq: 0 }));
  await refused("x");
  await session.perform(read, one);
  await behest.trust(second);
  await refused(behest.firstTrust);
  await session.perform(read, one);
  expect(await judged(store, behest.owner)).toMatchObject({ trust: 2, action: 2 });
});

test("an approver whom the next version leaves out approves nothing any more; a new one does", async () => {
  const policy = "default";
  await using behest = await testBehest({ policy });
  const manifest = await manifestOf(behest);
  const session = await behest.as("alice", { wipe: {} });
  const wipe = { tool: "wipe", args: {}, callId: "c" };
  await expect(session.perform(wipe, one)).rejects.toMatchObject({ code: "approval_needed" });
  const [approval] = await behest.approvals.list();
  const [gone, hired] = [behest.approver("approvers", 0), await generateSigner()];
  const approvers = manifest.approvers.filter(({ group }) => group !== "approvers");
  await behest.trust(
    await behest.nextTrust({
      approvers: [...approvers, { group: "approvers", person: "new", jwk: hired.jwk }],
    }),
  );
  const id = approval!.id;
  await expect(
    behest.approvals.submit(id, await signDecision(approval!, { decision: "approve" }, gone)),
  ).rejects.toMatchObject({ code: "approval_invalid" });
  await behest.approvals.submit(id, await signDecision(approval!, { decision: "approve" }, hired));
  await session.perform(wipe, one);
});

test("what a revoker signed before anybody here knew of them is in force once they are named", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const session = await behest.as("alice", { read: {} });
  const revoker = await generateSigner();
  const cut = await signCut({ principal: "alice" }, { reason: "left" }, revoker);
  await expect(behest.revoke(cut)).rejects.toMatchObject({ code: "revocation_refused" });
  // Another machine, where the next version is in force already, has taken it into the feed that they share.
  const { until } = spanOf(await readCut(cut.jws, publicKey(revoker.jwk)));
  await store[engineOf].feed.append({ jws: cut.jws, ...(until !== undefined && { until }) });
  await session.perform(read, one).catch(() => {});
  const { revokers } = await manifestOf(behest);
  await behest.trust(await behest.nextTrust({ revokers: [...revokers, { scope: "*", jwk: revoker.jwk }] }));
  await expect(session.perform(read, one)).rejects.toMatchObject({ code: "revoked" });
});

test("of two processes on one store each takes it up; one that has not writes nothing until it does", async () => {
  const path = freshPath();
  const store = sqliteStore(path);
  await using first = await testBehest({ store });
  const enforcer = await generateSigner();
  const { enforcers } = await manifestOf(first);
  const second = await first.nextTrust({ enforcers: [...enforcers, { jwk: enforcer.jwk }] });
  await first.trust(second);
  const shared = { trust: { owner: first.owner, manifest: second }, signer: enforcer, holder: first.holder };
  await using other = await createFrom(
    { ...shared, store: sqliteStore(path), policy: "grants-alone" },
    "grants",
  );
  const alice = await first.as("alice", { read: {} });
  const third = await first.nextTrust({}, second);
  await other.trust(third);
  await expect(alice.perform(read, one)).rejects.toMatchObject({ code: "trust_invalid" });
  await expect(alice.perform(read, one)).rejects.toMatchObject({ code: "trust_invalid" });
  await first.trust(third);
  await alice.perform(read, one);
  expect(await judged(store, first.owner)).toMatchObject({ trust: 5, action: 1 });
});

test("a version that gives an agent's key another role is not taken up, or ends who acts with that key", async () => {
  await using behest = await testBehest();
  const alice = await behest.as("alice", { read: {} });
  const { approvers } = await manifestOf(behest);
  const approver = (jwk: Signer["jwk"]) => ({
    approvers: [...approvers, { group: "ops", person: "eve", jwk }],
  });
  await expect(behest.trust(await behest.nextTrust(approver(behest.holder.jwk)))).rejects.toMatchObject({
    code: "key_readable",
  });
  await alice.perform(read, one);
  const holder = await generateHolder();
  const claims = { issuer: behest.issuer.iss, principal: "bob", task: "t", tools: { read: {} } } as const;
  const to = { ...claims, holder: holder.jwk, expiresIn: "1h" } as const;
  const own = await behest.open(await issueDelegation(to, behest.issuer.signer), { holder });
  await behest.trust(await behest.nextTrust(approver(holder.jwk)));
  expect(own.signal.reason).toMatchObject({ code: "session_ended" });
  await alice.perform(read, one);
});
