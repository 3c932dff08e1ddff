import { sha256, toBase64url } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { change, header, isGood, signed } from "../test/fuzz/claims.ts";
import { objection } from "../test/fuzz/oracle.ts";
import { TRAVEL } from "../test/fuzz/travel.ts";
import { ISSUER, LATER, SEED, keyOf, originals, textOf, thumbprintUri } from "../test/fuzz/world.ts";
import { DelegationError, parseDelegation, verifyDelegation } from "./index.ts";

const POOL = await originals(100);
const options = { issuers: [{ iss: ISSUER, jwk: (await keyOf("issuer")).jwk }], now: LATER };
const rogue = await keyOf("rogue");
const any = fc.constantFrom(...POOL);
/** 0 to below 1, evenly: `fc.double` would nearly always mean the root. */
const place = fc.nat({ max: 99_999 }).map((n) => n / 100_000);

/** True when accepted; a refusal must be one of ours. */
async function accepts(delegation: readonly string[] | string): Promise<boolean> {
  try {
    await verifyDelegation(delegation, options);
    return true;
  } catch (error) {
    if (DelegationError.isInstance(error)) return false;
    throw error;
  }
}

const isOriginal = (chain: readonly string[]): boolean =>
  POOL.some((original) => chain.length > 0 && chain.every((token, hop) => token === original.chain[hop]));

test("the chains to be changed are good ones, of every length, and nothing objects to them", async () => {
  expect(new Set(POOL.map(({ chain }) => chain.length))).toEqual(new Set([1, 2, 3, 4, 5]));
  for (const { chain } of POOL) expect([await accepts(chain), objection(chain)]).toEqual([true, undefined]);
});

test("of chains changed on their way only those are accepted that are, byte for byte, the first tokens of a good one", async () => {
  const tally = { accepted: 0, refused: 0 };
  const kinds = fc.array(fc.constantFrom(...Object.keys(TRAVEL)), { minLength: 1, maxLength: 2 });
  await fc.assert(
    fc.asyncProperty(any, any, kinds, place, fc.boolean(), async (original, other, names, at, asText) => {
      let chain = original.chain;
      for (const name of names) if (chain.length > 0) chain = TRAVEL[name]!(chain, at, other);
      const presented = asText ? JSON.stringify({ chain }) : chain;
      const accepted = await accepts(presented);
      tally[accepted ? "accepted" : "refused"]++;
      if (accepted) expect(isOriginal(parseDelegation(presented))).toBe(true);
    }),
    { seed: SEED, numRuns: 3000 },
  );
  // Dropping the last hop leaves a good chain.
  expect(tally.accepted).toBeGreaterThan(20);
  expect(tally.refused).toBeGreaterThan(2000);
});

test("a JSON text that was damaged is refused, or still says what it said", async () => {
  await fc.assert(
    fc.asyncProperty(
      any,
      place,
      fc.string({ maxLength: 2, unit: "binary" }),
      async ({ chain }, at, insert) => {
        const text = JSON.stringify({ chain });
        const i = Math.floor(at * text.length);
        const damaged = text.slice(0, i) + insert + text.slice(i + 1);
        if (await accepts(damaged)) expect(isOriginal(parseDelegation(damaged))).toBe(true);
      },
    ),
    { seed: SEED, numRuns: 1000 },
  );
});

test("of chains with claims that their signers changed only those are accepted in which every hop stays inside its parent", async () => {
  const tally = { accepted: 0, refused: 0 };
  const signing = fc.constantFrom(
    "right",
    "right",
    "right",
    "right",
    "right",
    "rogue",
    "its own holder",
    "another hop's",
  );
  const run = fc.record({
    original: any,
    at: place,
    changed: change,
    members: header,
    signing,
    goOn: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(run, async ({ original, at, changed, members, signing, goOn }) => {
      const { chain, signers } = original;
      const hop = Math.floor(at * chain.length);
      const claims = JSON.parse(textOf(chain[hop]!)) as { [name: string]: never };
      const text = changed.text(claims);
      if (text === textOf(chain[hop]!)) return;
      const signer = {
        right: signers[hop]!,
        rogue,
        "its own holder": signers[hop + 1]!,
        "another hop's": signers[(hop + 2) % signers.length]!,
      }[signing];
      const mutant = [...chain.slice(0, hop), await signed(members, text, signer)];
      // The holders below it play along: what they signed is hung under the changed token.
      for (let next = hop + 1; goOn && next < chain.length; next++) {
        const parent = mutant.at(-1)!;
        const below = JSON.parse(textOf(chain[next]!)) as object;
        const iss = thumbprintUri(signers[next]!);
        const hash = toBase64url(sha256(parent.slice(0, parent.lastIndexOf("."))));
        const own = JSON.stringify({ ...below, iss, par_hash: hash });
        mutant.push(await signed({ alg: "Ed25519", typ: "aat+jwt" }, own, signers[next]!));
      }
      const accepted = await accepts(mutant);
      tally[accepted ? "accepted" : "refused"]++;
      if (!accepted) return;
      expect([changed.never, isGood(members), signer.jwk.x]).toEqual([undefined, true, signers[hop]!.jwk.x]);
      expect(objection(mutant)).toBeUndefined();
    }),
    { seed: SEED, numRuns: 6000 },
  );
  expect(tally.accepted).toBeGreaterThan(500);
  expect(tally.refused).toBeGreaterThan(2000);
});
