import { issueDelegation } from "@behest/delegation";
import { type Signer, generateSigner } from "@behest/jws";
import { parseEntry } from "@behest/provenance";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { STORES } from "../test/stores.ts";
import { judged } from "../test/trust.ts";
import { until } from "../test/until.ts";
import { createFrom } from "./behest.ts";
import { memoryStore } from "./store/memory.ts";
import { engine as engineOf } from "./store/types.ts";
import { testBehest } from "./testing.ts";

beforeEach(() => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const read = { tool: "read", args: {} };
const one = async (): Promise<number> => 1;

test.each(STORES)(
  "%s: an entry key is followed by another before it ends; actions go on without a gap",
  async (_, make) => {
    const store = make();
    // Whole seconds, as certificates have them.
    const start = Math.floor(Date.now() / 1000) * 1000;
    let passed = 0;
    const clock = (): number => start + passed;
    await using behest = await testBehest({ store, clock, entryKeyLifetime: 3 });
    const session = await behest.as("alice", { read: {} });
    let actions = 0;
    // Nobody waits for the change: actions are under way all the time, also one that outlives its key.
    const long = session.perform({ ...read, callId: "long" }, async () => {
      await until(() => expect(passed).toBeGreaterThan(8000));
      return 1;
    });
    for (let keys = 2; keys <= 5; keys++) {
      passed += 2100;
      await until(async () => {
        expect(await session.perform({ ...read, callId: `c${actions++}` }, one)).toMatchObject({
          outcome: "done",
        });
        const entries = await store[engineOf].entries(0, 10_000);
        expect(new Set(entries.map((jws) => parseEntry(jws).kid)).size).toBe(keys);
      });
    }
    expect(await long).toMatchObject({ outcome: "done" });
    await session.perform(read, one);
    expect(await judged(store, behest.owner)).toEqual({ trust: 5, action: actions + 2, keys: 5 });
  },
);

test("a signer that is away is warned of once and tried again; when the key has ended nothing starts, until it is back", async () => {
  const enforcer = await generateSigner();
  let away = false;
  const signer: Signer = {
    jwk: enforcer.jwk,
    sign: async (bytes) => {
      if (away) throw new Error("the KMS is away");
      return enforcer.sign(bytes);
    },
  };
  let now = Math.floor(Date.now() / 1000) * 1000;
  const owner = await testBehest();
  const manifest = await owner.nextTrust({ enforcers: [{ jwk: enforcer.jwk }] });
  await using behest = await createFrom(
    {
      trust: { owner: owner.owner, manifest },
      signer,
      store: memoryStore({ now: () => now }),
      holder: owner.holder,
      policy: "grants-alone",
      clock: () => now,
      entryKeyLifetime: 3,
    },
    "grants",
  );
  const { signer: issuer, iss } = owner.issuer;
  const claims = {
    issuer: iss,
    holder: owner.holder.jwk,
    principal: "alice",
    task: "t",
    tools: { read: {} },
    maxDepth: 1,
  };
  const session = await behest.open(await issueDelegation({ ...claims, expiresIn: "1h" }, issuer));
  away = true;
  now += 2100;
  await until(() =>
    expect(vi.mocked(process.emitWarning).mock.calls).toMatchObject([
      [expect.any(String), { code: "BEHEST_ENTRY_KEY" }],
    ]),
  );
  await session.perform(read, one);
  now += 1000;
  await expect(session.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
  away = false;
  await until(async () => expect(await session.perform(read, one)).toMatchObject({ outcome: "done" }));
  expect(vi.mocked(process.emitWarning).mock.calls).toHaveLength(1);
});

test("a life of a key that is none is refused", async () => {
  for (const entryKeyLifetime of [0, -1, 1.5, Number.NaN])
    await expect(testBehest({ entryKeyLifetime })).rejects.toMatchObject({ code: "config_invalid" });
});
