import { type Signer, generatePrivateJwk, publicKey, sha256, signerOf } from "@behest/jws";
import {
  cosign,
  parseAddCheckpoint,
  parseCheckpoint,
  signCheckpoint,
  signedBy,
  verifyLog,
} from "@behest/provenance";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { TestWitness } from "../../test/witness/server.ts";
import { until } from "../../test/until.ts";
import { readStore } from "../record/reader.ts";
import { memoryStore } from "../store/memory.ts";
import type { Alert } from "../alert/alert.ts";
import { type TestBehest, testBehest } from "../testing.ts";
import { type Store, engine as engineOf } from "../store/types.ts";
import { witnessesOf } from "./config.ts";
import { HeadKeeper } from "./keeper.ts";

const EVERY = 20;
let one: TestWitness;
let two: TestWitness;
let warnings: { mock: { calls: unknown[][] } };
beforeEach(async () => {
  [one, two] = [await TestWitness.start("witness.test/1"), await TestWitness.start("witness.test/2")];
  warnings = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  vi.restoreAllMocks();
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
});

const warned = (): unknown[] => warnings.mock.calls.map(([, about]) => (about as { code: string }).code);
const act = async (behest: TestBehest, times = 1): Promise<void> => {
  const session = await behest.as("alice", { read: {} });
  for (let i = 0; i < times; i++) await session.perform({ tool: "read", args: { i } }, async () => i);
};
const entriesIn = (store: Store): Promise<readonly string[]> => store[engineOf].entries(0, 1_000_000);

test("heads are cosigned as the log grows, each with a proof, and the newest is kept; it proves the log complete", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store, witnesses: { at: [one.at, two.at], every: EVERY } });
  await until(async () => expect(await behest.witnessed()).toBeDefined());
  await act(behest, 5);
  const entries = await entriesIn(store);
  await until(async () => expect((await behest.witnessed())?.size).toBe(entries.length));
  const { head, by } = (await behest.witnessed())!;
  expect(by.map(({ name }) => name)).toEqual(["witness.test/1", "witness.test/2"]);
  expect(by[0]!.at).toBeGreaterThan(Date.now() - 60_000);
  const later = one.asked.map(parseAddCheckpoint).filter(({ old }) => old > 0);
  expect(later.length).toBeGreaterThan(0);
  expect(later.at(-1)!.old + later.at(-1)!.proof.length).toBeGreaterThan(later.at(-1)!.old);
  const reader = readStore(store);
  const cosigned = [(await reader.cosigned())!];
  const keys = [one, two].map(({ name, signer: { jwk } }) => ({ name, jwk }));
  const log = { entries, checkpoint: await reader.checkpoint(), owner: behest.owner };
  const report = await verifyLog({ ...log, cosigned, witnesses: { need: 2, keys } });
  expect(report).toMatchObject({ ok: true, completeness: `complete up to ${head}` });
  expect(warned()).toEqual([]);
  // Nothing new, nobody is asked.
  const before = one.asked.length;
  await new Promise((resolve) => setTimeout(resolve, 5 * EVERY));
  expect(one.asked).toHaveLength(before);
});

test("what is submitted is signed by the enforcer under the log's name, also where its key answers later", async () => {
  const enforcer = signerOf(await generatePrivateJwk());
  const kms: Signer = { jwk: enforcer.jwk, sign: async (bytes) => enforcer.sign(bytes) };
  const store = memoryStore();
  // An enforcer that the manifest does not name would not get so far: the keeper is looked at alone.
  await using _behest = await testBehest({ store });
  const witnesses = witnessesOf({ at: [one.at], every: 60_000 })!;
  const keeper = new HeadKeeper({
    engine: store[engineOf],
    origin: "behest.test/log",
    signer: kms,
    witnesses,
  });
  await keeper.stop();
  const { checkpoint } = parseAddCheckpoint(one.asked[0]!);
  expect(await signedBy(parseCheckpoint(checkpoint), publicKey(enforcer.jwk))).toBe(true);
  expect(await signedBy(parseCheckpoint((await readStore(store).cosigned())!), publicKey(enforcer.jwk))).toBe(
    true,
  );
});

test("closing shows the last head", async () => {
  const store = memoryStore();
  const behest = await testBehest({ store, witnesses: { at: [one.at], every: 3_600_000 } });
  await act(behest);
  const { length } = await entriesIn(store);
  await behest.close();
  expect(one.seen.size).toBe(length);
});

test("a witness that is away, lies or never answers delays no action, and is warned of once until it is back", async () => {
  const tooLong = "x".repeat(1 << 17);
  const strangers = async (body: string) =>
    cosign(parseAddCheckpoint(body).checkpoint, one.name, 1, two.signer);
  let line = "";
  const lies: (() => { status: number; body: string; type?: string } | "hang")[] = [
    () => ({ status: 500, body: "" }),
    () => ({ status: 404, body: "" }),
    () => ({ status: 200, body: "" }),
    () => ({ status: 200, body: "no line" }),
    () => ({ status: 200, body: tooLong }),
    () => ({ status: 200, body: line }),
    () => ({ status: 409, type: "text/x.tlog.size", body: "many\n" }),
    () => ({ status: 409, body: "1\n" }),
    () => ({ status: 302, body: "" }),
    () => "hang",
  ];
  for (const lie of lies) {
    vi.mocked(process.emitWarning).mockClear();
    one.instead = lie;
    const behest = await testBehest({ witnesses: { at: [one.at], every: EVERY } });
    if (one.asked.length > 0) line = await strangers(one.asked.at(-1)!);
    await act(behest, 3);
    if (lie() !== "hang") await until(() => expect(warned()).toEqual(["BEHEST_WITNESS"]));
    await act(behest, 3);
    expect(await behest.witnessed()).toBeUndefined();
    expect(warned().length).toBeLessThan(2);
    if (lie() !== "hang") {
      one.seen = { size: 0, root: sha256("") };
      one.instead = undefined;
      await until(async () => expect(await behest.witnessed()).toBeDefined());
    }
    // Closing does not wait until that one is given up.
    const patience = vi.spyOn(AbortSignal, "timeout").mockReturnValue(new AbortController().signal);
    await behest.close();
    patience.mockRestore();
  }
});

test("one that answers with line after line does not keep heads from being kept", async () => {
  const often = async (witness: TestWitness, body: string) => {
    const { checkpoint } = parseAddCheckpoint(body);
    const lines = Array.from({ length: 60 }, (_, i) =>
      cosign(checkpoint, witness.name, i + 1, witness.signer),
    );
    return { status: 200, body: (await Promise.all(lines)).join("") };
  };
  one.instead = (body) => often(one, body);
  two.instead = (body) => often(two, body);
  await using behest = await testBehest({ witnesses: { at: [one.at, two.at], every: EVERY } });
  await until(async () => expect(await behest.witnessed()).toMatchObject({ by: [{}, {}] }));
  expect(warned()).toEqual([]);
});

test("fewer than are needed keep nothing; the others do not wait for one that is away", async () => {
  two.instead = () => ({ status: 500, body: "" });
  const all = await testBehest({ witnesses: { at: [one.at, two.at], every: EVERY } });
  await until(() => expect(warned()).toEqual(["BEHEST_WITNESS"]));
  expect(await all.witnessed()).toBeUndefined();
  // Else it would go on to show its own log under the same name.
  await all.close();
  one.seen = { size: 0, root: sha256("") };
  await using any = await testBehest({ witnesses: { at: [one.at, two.at], every: EVERY, need: 1 } });
  await until(async () => expect((await any.witnessed())?.by).toMatchObject([{ name: "witness.test/1" }]));
});

test("a witness that has seen more, or another log, is an alarm", async () => {
  one.seen = { size: 1000, root: sha256("another") };
  const told: string[] = [];
  const alerts = { send: ({ event, code }: Alert) => told.push(`${event} ${code}`) };
  await using behest = await testBehest({ alerts, witnesses: { at: [one.at], every: EVERY } });
  await until(() => expect(warned()).toEqual(["BEHEST_WITNESS_CONFLICT"]));
  one.seen = { size: 1, root: sha256("another") };
  await act(behest);
  await new Promise((resolve) => setTimeout(resolve, 5 * EVERY));
  // Told once.
  expect(warned()).toEqual(["BEHEST_WITNESS_CONFLICT"]);
  expect(told).toEqual(["verification_failed witness_conflict"]);
  expect(await behest.witnessed()).toBeUndefined();
});

test("no head is signed that does not extend the one that was", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  await act(behest, 3);
  const engine = store[engineOf];
  // As large, and not the same.
  const { origin, size } = parseCheckpoint(await engine.checkpoint());
  await engine.keepCosigned(signCheckpoint({ origin, size, root: sha256("another") }, two.signer));
  const signed: Uint8Array[] = [];
  const signer = signerOf(await generatePrivateJwk());
  const counting: Signer = { jwk: signer.jwk, sign: (bytes) => (signed.push(bytes), signer.sign(bytes)) };
  const witnesses = witnessesOf({ at: [one.at], every: 60_000 })!;
  const keeper = new HeadKeeper({ engine, origin: "behest.test/log", signer: counting, witnesses });
  await keeper.stop();
  expect(warned()).toEqual(["BEHEST_WITNESS_CONFLICT"]);
  expect(signed).toEqual([]);
  expect(one.asked).toEqual([]);
});

test("witnesses that cannot be are refused at start", async () => {
  const { url, vkey } = one.at;
  const log = vkey.replace(/\+.*/, "");
  for (const witnesses of [
    { at: [] },
    {
      at: [
        { url, vkey },
        { url: "https://x.example", vkey },
      ],
    },
    { at: [{ url: "file:///etc/passwd", vkey }] },
    { at: [{ url: "x", vkey }] },
    { at: [{ url, vkey: log }] },
    { at: [{ url, vkey }], need: 2 },
    { at: [{ url, vkey }], need: 0 },
    { at: [{ url, vkey }], every: 0 },
  ])
    await expect(testBehest({ witnesses })).rejects.toMatchObject({ code: "config_invalid" });
});
