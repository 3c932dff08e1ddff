import { setTimeout } from "node:timers/promises";
import { parseCheckpoint, readTrust } from "@behest/provenance";
import { afterEach, expect, test, vi } from "vitest";
import { Aged, TOOLS, pay } from "../test/aged.ts";
import { judged } from "../test/trust.ts";
import { memoryStore } from "./store/memory.ts";
import { engine as engineOf } from "./store/types.ts";
import { testBehest } from "./testing.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

const read = { tool: "read", args: {} };
const one = async (): Promise<number> => 1;
const tools = { read: {} };

test.each([0, 1])(
  "nothing begins in a session that ends just after it was looked whether it goes on (look %i)",
  async (look) => {
    for (let turns = 0; turns < 12; turns++) {
      const store = memoryStore();
      const engine = store[engineOf];
      let looked = (): void => {};
      const clock = (): number => (looked(), Date.now());
      await using behest = await testBehest({ store, clock });
      const session = await behest.as("alice", tools);
      const asked = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<void>();
      const checkpoint = engine.checkpoint.bind(engine);
      engine.checkpoint = async () => {
        const head = await checkpoint();
        asked.resolve();
        await answer.promise;
        return head;
      };
      const taken = behest.trust(await behest.nextTrust({ issuers: [] }));
      await asked.promise;
      let looks = 0;
      looked = () => {
        // From there on its issuer is withdrawn, so many microtasks later.
        if (looks++ === look) void after(turns).then(answer.resolve);
      };
      void setTimeout(50).then(answer.resolve);
      await expect(session.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
      await taken;
    }
  },
);

async function after(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve();
}

test("whether an issuer may open is asked of the log as long as it is, not as it was under the manifest before", async () => {
  const store = memoryStore();
  const engine = store[engineOf];
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const { issuers } = await readTrust(behest.firstTrust, behest.owner);
  const { size } = parseCheckpoint(await engine.checkpoint());
  const answer = Promise.withResolvers<void>();
  const checkpoint = engine.checkpoint.bind(engine);
  engine.checkpoint = async () => {
    engine.checkpoint = checkpoint;
    const head = await checkpoint();
    await answer.promise;
    return head;
  };
  const opening = behest.as("bob", tools);
  await expect.poll(() => engine.checkpoint === checkpoint).toBe(true);
  for (let i = 0; i < 3; i++) await alice.perform(read, one);
  const until = size + 1;
  await behest.trust(await behest.nextTrust({ issuers: issuers.map((one) => ({ ...one, until })) }));
  answer.resolve();
  await expect(opening).rejects.toMatchObject({ code: "issuer_not_allowed" });
  await judged(store, behest.owner);
});

test("whoever withdraws a key waits for no key set that a sub-agent's chain takes", async () => {
  await using behest = await testBehest();
  const { iss, signer } = behest.issuer;
  const jwks = "https://issuer.test/keys";
  const inSet = await behest.nextTrust({ issuers: [{ iss, jwks }] });
  vi.stubGlobal("fetch", async () => Response.json({ keys: [signer.jwk] }));
  await behest.trust(inSet);
  const alice = await behest.as("alice", tools);
  // What was fetched is old by now, and its server does not answer any more.
  vi.spyOn(Date, "now").mockReturnValue(Date.now() + 900_000);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  vi.stubGlobal("fetch", () => (asked.resolve(), answer.promise));
  const child = alice.delegate({ tools });
  // At the latest when nobody waits for that server any more.
  const ended = child.then(
    () => "ended",
    () => "ended",
  );
  await asked.promise;
  const withdrawn = behest.trust(await behest.nextTrust({ issuers: [] }, inSet)).then(() => "withdrawn");
  const first = await Promise.race([withdrawn, ended]);
  answer.resolve(Response.json({ keys: [signer.jwk] }));
  expect(first).toBe("withdrawn");
  await expect(child).rejects.toMatchObject({ code: "session_ended" });
});

test("what is erased as a manifest is taken up is kept for as long as that one says", async () => {
  const aged = await Aged.make();
  await using behest = aged.behest;
  const ten = await behest.nextTrust({ retention: 10 });
  await behest.trust(ten);
  await pay(await behest.as("alice", TOOLS));
  aged.later(20);
  const engine = aged.store[engineOf];
  const named = engine.named.bind(engine);
  engine.named = async (subject) => {
    await behest.trust(await behest.nextTrust({ retention: 100 }, ten));
    return named(subject);
  };
  await expect(behest.erase({ principal: "alice", reason: "asked" })).rejects.toMatchObject({
    code: "retained",
  });
  expect(await aged.report()).toMatchObject({ ok: true });
});

/** A log that has gone on since `before`; `next` ends the role of its issuer where it ends. */
async function goneOn() {
  const store = memoryStore();
  const engine = store[engineOf];
  const behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const { issuers } = await readTrust(behest.firstTrust, behest.owner);
  const checkpoint = engine.checkpoint.bind(engine);
  const before = await checkpoint();
  for (let i = 0; i < 3; i++) await alice.perform(read, one);
  const { size } = parseCheckpoint(await checkpoint());
  const next = await behest.nextTrust({ issuers: issuers.map((one) => ({ ...one, until: size })) });
  return { store, engine, behest, alice, checkpoint, before, next };
}

test.each(["no checkpoint", "one of the log as it was"])(
  "sessions of a withdrawn issuer end, also where a shared database shows %s",
  async (lie) => {
    const { engine, alice, checkpoint, before, next, ...made } = await goneOn();
    await using behest = made.behest;
    engine.head = checkpoint;
    engine.checkpoint = async () => (lie === "no checkpoint" ? "none" : before);
    await behest.trust(next);
    engine.checkpoint = checkpoint;
    await expect(alice.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
  },
);

test("sessions of a withdrawn issuer end where the store has no checkpoint that can be read", async () => {
  const { engine, alice, checkpoint, next, ...made } = await goneOn();
  await using behest = made.behest;
  engine.checkpoint = async () => "none";
  await behest.trust(next);
  engine.checkpoint = checkpoint;
  await expect(alice.perform(read, one)).rejects.toMatchObject({ code: "session_ended" });
});

test("an issuer whose role has ended opens nothing, also where a shared database shows the log as it was", async () => {
  const { store, engine, checkpoint, before, next, ...made } = await goneOn();
  await using behest = made.behest;
  await behest.trust(next);
  engine.head = checkpoint;
  engine.checkpoint = async () => before;
  await expect(behest.as("bob", tools)).rejects.toMatchObject({ code: "delegation_invalid" });
  engine.checkpoint = checkpoint;
  await judged(store, behest.owner);
});

test("an issuer whose role ends further on opens nothing that might be recorded beyond that", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const { issuers } = await readTrust(behest.firstTrust, behest.owner);
  await behest.trust(await behest.nextTrust({ issuers: issuers.map((one) => ({ ...one, until: 10 })) }));
  await Promise.allSettled(Array.from({ length: 20 }, (_, i) => behest.as(`person-${i}`, tools)));
  // What was opened before goes on.
  for (let i = 0; i < 9; i++) await alice.perform(read, one);
  await judged(store, behest.owner);
});

test("a sub-agent that is recorded as its issuer is withdrawn does not start, and is told why", async () => {
  const store = memoryStore();
  const engine = store[engineOf];
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const next = await behest.nextTrust({ issuers: [] });
  const delegation = engine.delegation.bind(engine);
  engine.delegation = async (jti) => {
    const found = await delegation(jti);
    if (found) await behest.trust(next);
    return found;
  };
  await expect(alice.delegate({ tools })).rejects.toMatchObject({ code: "session_ended" });
});
