import { setImmediate, setTimeout } from "node:timers/promises";
import { type Store, readStore } from "@behest/core";
import { type TestBehest, testBehest } from "@behest/core/testing";
import { canonical, generateSigner } from "@behest/jws";
import { readTrust } from "@behest/provenance";
import { afterEach, expect, test, vi } from "vitest";
import { LiveSession } from "../../core/src/session/live.ts";
import { engine as engineOf } from "../../core/src/store/types.ts";
import { STORES } from "../../core/test/stores.ts";
import { codes } from "../test/lying.ts";
import { type EvidenceReport, verifyEvidence } from "./index.ts";

afterEach(() => vi.restoreAllMocks());

const look = { tool: "look", args: {} };
const work = async (): Promise<number> => 1;
const tools = { look: {} };

async function judged(store: Store, { owner }: TestBehest): Promise<EvidenceReport> {
  return verifyEvidence(await readStore(store).evidence(), { owner });
}

/** Its answers to what a taker-up asks come late. */
function slow(store: Store): Store {
  const engine = store[engineOf];
  const late =
    <A extends unknown[], T>(ask: (...given: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      const answer = await ask.apply(engine, given);
      await setTimeout(30);
      return answer;
    };
  engine.rotate = late(engine.rotate);
  engine.checkpoint = late(engine.checkpoint);
  return store;
}

test.each(STORES)("%s: nothing is begun by an issuer that was withdrawn meanwhile", async (_, make) => {
  const store = slow(make());
  await using behest = await testBehest({ store });
  const sessions = await Promise.all(
    Array.from({ length: 16 }, (_one, i) => behest.as(`person-${i}`, tools)),
  );
  let done = 0;
  const busy = sessions.map(async (session) => {
    for (;;) {
      await session.perform(look, work);
      await session.delegate({ tools });
      done++;
      // In memory nothing else would be let in.
      await setImmediate();
    }
  });
  const ended = Promise.allSettled(busy);
  await expect.poll(() => done).toBeGreaterThan(32);
  await behest.trust(await behest.nextTrust({ issuers: [] }));
  for (const one of await ended)
    expect(one).toMatchObject({ status: "rejected", reason: { code: "session_ended" } });
  const report = await judged(store, behest);
  expect(codes(report)).toEqual([]);
  expect(report.records.length).toBeGreaterThan(32);
});

test.each([
  ["left out", () => []],
  ["no longer for this person", ([issuer]: readonly object[]) => [{ ...issuer, subjects: ["bob"] }]],
  ["of another tenant", ([issuer]: readonly object[]) => [{ ...issuer, tenants: ["other"] }]],
])("what a process permits all the same is found: an issuer %s", async (_, change) => {
  const store = STORES[0]![1]();
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const child = await alice.delegate({ tools });
  await child.perform(look, work);
  vi.spyOn(LiveSession.prototype, "isSpokenFor").mockReturnValue(true);
  const { issuers } = await readTrust(behest.firstTrust, behest.owner);
  await behest.trust(await behest.nextTrust({ issuers: change(issuers) as unknown as typeof issuers }));
  await child.perform(look, work);
  const report = await judged(store, behest);
  expect(codes(report)).toEqual(["issuer_not_trusted"]);
  expect(report.records.map(({ states }) => states.authority)).toEqual(["proven", "failed"]);
});

test("an issuer that goes on to speak, or for some entries more, is trusted for what it signed", async () => {
  const store = STORES[0]![1]();
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  const { issuers } = await readTrust(behest.firstTrust, behest.owner);
  const other = { iss: "https://other.test", jwk: (await generateSigner()).jwk };
  const ending = issuers.map((issuer) => ({ ...issuer, until: 1000 }));
  const next = await behest.nextTrust({ issuers: [other, ...ending] });
  await behest.trust(next);
  await alice.perform(look, work);
  const report = await judged(store, behest);
  expect(codes(report)).toEqual([]);
  expect(report.records).toMatchObject([{ states: { authority: "proven" } }]);
});

test.each<[string, number, string[]]>([
  ["an old one is put in again", 0, ["trust_out_of_sequence", "issuer_not_trusted"]],
  ["one is put in that is not the next", 1, ["trust_out_of_sequence"]],
])("only versions that follow each other say who is trusted: %s", async (_, withdrawn, found) => {
  const store = STORES[0]![1]();
  await using behest = await testBehest({ store });
  const alice = await behest.as("alice", tools);
  vi.spyOn(LiveSession.prototype, "isSpokenFor").mockReturnValue(true);
  const versions = [{ issuers: [] }, {}].map((change) => behest.nextTrust(change));
  await behest.trust((await versions[withdrawn])!);
  const manifest = withdrawn === 0 ? behest.firstTrust : (await versions[0])!;
  const entry = { at: new Date().toISOString(), manifest, type: "trust", v: 1 };
  await store[engineOf].append({ entry: canonical(entry), once: "trust:" });
  await alice.perform(look, work);
  expect(codes(await judged(store, behest))).toEqual(found);
});
