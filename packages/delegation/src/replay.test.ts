import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ActionOptions,
  generateHolder,
  is,
  issueDelegation,
  proveAction,
  replayCache,
  verifyAction,
} from "./index.ts";

const [issuer, holder] = [await generateHolder(), await generateHolder()];
const tools = { pay: { amount: is.atMost(50).constraint } };
const delegation = await issueDelegation(
  {
    issuer: "https://issuer.test",
    holder: holder.jwk,
    principal: "p",
    task: "t",
    tools,
    expiresIn: "1h",
  },
  issuer,
);
const NOW = Math.floor(Date.now() / 1000);
const options: ActionOptions = { issuers: [{ iss: "https://issuer.test", jwk: issuer.jwk }] };
const call = { chain: delegation, tool: "pay", args: { amount: 20 } };
const prove = (change: object = {}): Promise<string> =>
  proveAction({ delegation, tool: "pay", args: call.args, ...change }, holder);

test("of any number of calls with one proof at once, one is permitted", async () => {
  const replay = replayCache();
  const proof = await prove();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => verifyAction({ ...call, proof }, { ...options, replay })),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const result of results)
    if (result.status === "rejected")
      expect(result.reason).toMatchObject({ code: "proof_replayed", step: "7i" });
});

test("refused calls take no room, however many come", async () => {
  const replay = replayCache({ max: 1 });
  const wrong = [
    { ...call, args: { amount: 21 } },
    { ...call, args: { amount: 51 } },
    { ...call, tool: "transfer" },
  ];
  for (let round = 0; round < 20; round++)
    for (const action of wrong)
      await expect(
        verifyAction({ ...action, proof: await prove() }, { ...options, replay }),
      ).rejects.toBeDefined();
  const late = await prove({ now: NOW - 31 });
  await expect(
    verifyAction({ ...call, proof: late }, { ...options, now: NOW, replay }),
  ).rejects.toMatchObject({ step: "7g" });
  await expect(
    verifyAction({ ...call, proof: await prove() }, { ...options, replay, nonce: "n" }),
  ).rejects.toMatchObject({ step: "7h" });
  await expect(
    verifyAction({ ...call, proof: await prove() }, { ...options, replay }),
  ).resolves.toBeDefined();
});

test("a full cache refuses and gives up nothing that lives; later there is room again", async () => {
  let now = NOW;
  const replay = replayCache({ max: 2, now: () => now });
  const at = (jti: string): Promise<unknown> =>
    prove({ jti, now: NOW }).then((proof) =>
      verifyAction({ ...call, proof }, { ...options, now: NOW, replay }),
    );
  await at("a");
  await at("b");
  const full = { code: "replay_cache_full", step: "7i" };
  for (const jti of ["c", "d", "c"]) await expect(at(jti)).rejects.toMatchObject(full);
  for (const jti of ["a", "b"]) await expect(at(jti)).rejects.toMatchObject({ code: "proof_replayed" });
  now = NOW + 31;
  expect(() => replay.add("e", NOW + 90)).toThrow(expect.objectContaining(full));
  now = NOW + 32;
  expect(replay.add("e", NOW + 90)).toBe(true);
});

test("what was forgotten is not accepted again, whatever becomes of the clock", () => {
  let now = NOW;
  const replay = replayCache({ now: () => now });
  expect(replay.add("a", NOW + 31)).toBe(true);
  for (const time of [NOW + 40, NOW - 1000, Number.NaN, NOW, NOW + 20]) {
    now = time;
    expect(replay.add("a", NOW + 31)).toBe(false);
    expect(replay.add(`fresh at ${time}`, NOW + 100)).toBe(true);
  }
});

test("a cache whose clock is ahead of the verifier's refuses rather than forgets", async () => {
  const replay = replayCache({ now: () => NOW + 3600 });
  const proof = await prove({ now: NOW });
  await expect(verifyAction({ ...call, proof }, { ...options, now: NOW, replay })).rejects.toMatchObject({
    code: "proof_replayed",
  });
});

test("a bound that is none is refused", () => {
  for (const max of [0, -1, Number.NaN])
    expect(() => replayCache({ max })).toThrow(expect.objectContaining({ code: "malformed_request" }));
});

test("no id is accepted twice before its time, and it never holds more than it may", () => {
  const step = fc.record({
    jti: fc.constantFrom("a", "b", "c", "d", "e"),
    life: fc.integer({ min: -5, max: 20 }),
    pass: fc.integer({ min: -10, max: 10 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (steps, max) => {
      let now = 1000;
      let latest = 0;
      const replay = replayCache({ max, now: () => now });
      const accepted = new Map<string, number>();
      for (const { jti, life, pass } of steps) {
        now += pass;
        latest = Math.max(latest, now);
        const until = now + life;
        const living = [...accepted.values()].filter((time) => time >= latest).length;
        let answer: unknown = "full";
        try {
          answer = replay.add(jti, until);
        } catch (error) {
          expect(error).toMatchObject({ code: "replay_cache_full" });
        }
        const lives = (accepted.get(jti) ?? 0) >= latest;
        expect(answer).toBe(lives || until < latest ? false : living >= max ? "full" : true);
        if (answer === true) accepted.set(jti, until);
      }
    }),
    { numRuns: 1000 },
  );
});
