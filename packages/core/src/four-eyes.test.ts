import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Signer, generatePrivateJwk, signerOf } from "@behest/jws";
import { type Manifest, countersignTrust, readTrust, trustHash } from "@behest/provenance";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFrom } from "./behest.ts";
import { policiesOf } from "./policy/policed.ts";
import { memoryStore } from "./store/memory.ts";
import { sqliteStore } from "./store/sqlite/store.ts";
import { testBehest } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-keepers-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());
const newSigner = async (): Promise<Signer> => signerOf(await generatePrivateJwk());
const read = { tool: "read", args: {} };
const one = async (): Promise<number> => 1;

test("a version that its keepers have not signed is refused, in mid-run and at start, and stops nobody", async () => {
  const [ann, ben] = [await newSigner(), await newSigner()];
  const keepers = [
    { person: "ann", jwk: ann.jwk },
    { person: "ben", jwk: ben.jwk },
  ];
  const path = join(folder, "keepers", "log.db");
  const store = sqliteStore(path);
  const behest = await testBehest({ store });
  const second = await behest.nextTrust({ changes: { need: 2, keepers } });
  await behest.trust(second);
  const session = await behest.as("alice", { read: {} });
  const third = (change: Partial<Manifest>): Promise<string> => behest.nextTrust(change, second);
  const invalid = { code: "trust_invalid" };
  // Neither a change nor the end of this process's own enforcer is the owner's alone.
  await expect(behest.trust(await third({}))).rejects.toMatchObject(invalid);
  const other = await newSigner();
  await expect(behest.trust(await third({ enforcers: [{ jwk: other.jwk }] }))).rejects.toMatchObject(invalid);
  await session.perform(read, one);
  await behest.close();
  const before = {
    ...(await readTrust(second, behest.owner)),
    seq: 2,
    prev: trustHash(second),
    enforcers: [{ jwk: other.jwk }],
  };
  const half = await countersignTrust(before, ann);
  const whole = await countersignTrust(half, ben);
  const start = async (manifest: Manifest) => {
    const jws = await behest.nextTrust(manifest, second);
    const trust = { owner: behest.owner, manifest: jws };
    return createFrom({ trust, signer: other, store: sqliteStore(path), policy: "grants-alone" }, "grants");
  };
  await expect(start(before)).rejects.toMatchObject(invalid);
  await expect(start(half)).rejects.toMatchObject(invalid);
  await using next = await start(whole);
  expect(await next.records.list()).toHaveLength(1);
});

test("only the policies that the trust manifest lists decide", async () => {
  const unlisted = { code: "policy_invalid" };
  const store = memoryStore();
  await using behest = await testBehest({ store, policy: "default" });
  const session = await behest.as("alice", { read: {} });
  const { digest } = (await policiesOf("default"))!;
  const listed = await behest.nextTrust({ policies: ["A".repeat(43), digest] });
  await behest.trust(listed);
  expect(session.signal.aborted).toBe(false);
  await expect(
    behest.trust(await behest.nextTrust({ policies: ["A".repeat(43)] }, listed)),
  ).rejects.toMatchObject(unlisted);
  expect(session.signal.aborted).toBe(true);
  await expect(behest.as("alice", { read: {} })).rejects.toMatchObject({ code: "trust_invalid" });
  const enforcer = await newSigner();
  const manifest = await behest.nextTrust({ policies: [digest], enforcers: [{ jwk: enforcer.jwk }] });
  const start = (policy: string) =>
    createFrom({ trust: { owner: behest.owner, manifest }, signer: enforcer, store: memoryStore(), policy });
  await expect(start("grants-alone")).rejects.toMatchObject(unlisted);
  await using allowed = await start("default");
  expect(await allowed.records.list()).toEqual([]);
  // What decides nothing needs none of them, and opens nothing.
  await using attended = await start("no-agents");
  await expect(attended.open("token")).rejects.toMatchObject({ code: "config_invalid" });
  expect(await attended.holds.list()).toEqual([]);
});
