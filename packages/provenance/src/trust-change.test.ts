import type { Signer } from "@behest/jws";
import { beforeAll, expect, test } from "vitest";
import { AT, Deployment, flips, key } from "../test/deployment.ts";
import { type Manifest, checkChange, countersignTrust, signTrust, trustHash } from "./index.ts";

let ann: Signer;
let annAgain: Signer;
let ben: Signer;
let made: Deployment;
let next: Manifest;
beforeAll(async () => {
  [ann, annAgain, ben] = [await key(), await key(), await key()];
  made = await Deployment.make({
    changes: {
      need: 2,
      keepers: [
        { person: "ann", jwk: ann.jwk },
        { person: "ann", jwk: annAgain.jwk },
        { person: "ben", jwk: ben.jwk },
      ],
    },
  });
  next = {
    ...made.manifest,
    seq: 2,
    prev: trustHash(made.trust),
    revokers: [{ scope: "*", jwk: (await key()).jwk }],
  };
});

async function signedBy(manifest: Manifest, ...keepers: Signer[]): Promise<Manifest> {
  let signed = manifest;
  for (const keeper of keepers) signed = await countersignTrust(signed, keeper);
  return signed;
}
const check = (manifest: Manifest): Promise<void> => checkChange(made.manifest, manifest);
const unsigned = { code: "changes_unsigned" };

test("a version that as many keepers have signed as the one before asks for may follow it", async () => {
  await check(await signedBy(next, ann, ben));
  await check(await signedBy(next, ben, annAgain, ann));
  // Also one that asks for nobody any more, and whoever asked for nobody.
  const { changes: _, ...free } = next;
  await check(await signedBy(free, ann, ben));
  await checkChange(free, next);
});

test("one person with two keys, a stranger, or a signature on something else does not make up for a keeper", async () => {
  await expect(check(next)).rejects.toMatchObject(unsigned);
  await expect(check(await signedBy(next, ann))).rejects.toMatchObject(unsigned);
  await expect(check(await signedBy(next, ann, annAgain))).rejects.toMatchObject(unsigned);
  await expect(check(await signedBy(next, ann, ann))).rejects.toMatchObject(unsigned);
  await expect(check(await signedBy(next, ann, await key(), made.owner))).rejects.toMatchObject(unsigned);
  const both = await signedBy(next, ann, ben);
  for (const change of [
    { seq: 3 },
    { prev: "A".repeat(43) },
    { at: "2026-11-21T08:00:00.000Z" },
    { revokers: [] },
    { policies: [] },
  ])
    await expect(check({ ...both, ...change })).rejects.toMatchObject(unsigned);
});

test("a keeper's signature with any character changed is refused", async () => {
  const [one, two] = (await signedBy(next, ann, ben)).countersigned!;
  for (const flipped of flips(two!))
    await expect(check({ ...next, countersigned: [one!, flipped] })).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:changes_unsigned|signature_invalid|malformed_trust)$/) as string,
    });
});

test("the log takes a version that its keepers have not signed for none, and stays under the one before", async () => {
  const codes = async (manifest: Manifest): Promise<string[]> => {
    const log = Object.assign(Object.create(Object.getPrototypeOf(made) as object) as Deployment, made, {
      entries: [],
    });
    log.open({ ...made.emitter, seq: 0 });
    log.append({ v: 1, type: "trust", at: AT, manifest: await signTrust(manifest, made.owner) });
    const { findings, counts } = await log.verify();
    return [
      ...findings.map(({ index, check: of, code }) => `${index} ${of} ${code}`),
      `trust ${counts.trust}`,
    ];
  };
  expect(await codes(await signedBy(next, ann, ben))).toEqual(["trust 2"]);
  expect(await codes(await signedBy(next, ann))).toEqual(["1 trust changes_unsigned", "trust 1"]);
  expect(await codes(next)).toEqual(["1 trust changes_unsigned", "trust 1"]);
});

test("keepers are others than the owner and enforcers, and there are as many as are needed", async () => {
  const signed = (change: object): Promise<string> => signTrust({ ...made.manifest, ...change }, made.owner);
  const keepers = (...jwks: Signer["jwk"][]) => jwks.map((jwk, i) => ({ person: `p${i}`, jwk }));
  for (const jwk of [made.owner.jwk, made.enforcer.jwk])
    await expect(signed({ changes: { need: 1, keepers: keepers(jwk) } })).rejects.toMatchObject({
      code: "roles_not_apart",
    });
  const same = [
    { person: "ann", jwk: ann.jwk },
    { person: "ann", jwk: annAgain.jwk },
  ];
  for (const changes of [
    { need: 0, keepers: same },
    { need: 2, keepers: same },
    { need: 1, keepers: [] },
    { need: 1 },
  ])
    await expect(signed({ changes })).rejects.toMatchObject({ code: "malformed_trust" });
  await expect(signed({ policies: ["x"] })).rejects.toMatchObject({ code: "malformed_trust" });
});
