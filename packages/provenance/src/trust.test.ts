import { canonical, sha256, signCompact, thumbprint, toBase64url } from "@behest/jws";
import { expect, test } from "vitest";
import { Deployment, flips, key, manifestOf } from "../test/deployment.ts";
import {
  type Issuer,
  type Manifest,
  type Rung,
  ProvenanceError,
  anchorsOf,
  issuersOf,
  readTrust,
  rolesAt,
  signTrust,
  speaksFor,
  trustHash,
} from "./index.ts";

const TYP = "behest-trust+jwt";
const { owner, issuer, enforcer, manifest, trust, pin } = await Deployment.make();

/** Signs without the checks of signTrust. */
function forge(claims: unknown, header: object = { typ: TYP, jwk: owner.jwk }, signer = owner): string {
  return signCompact(header as { typ: string }, canonical(claims), signer) as string;
}

test("what the pinned owner signed is read back", async () => {
  expect(await readTrust(trust, pin)).toEqual(manifest);
  expect(trustHash(trust)).toBe(toBase64url(sha256(trust)));
});

test("a manifest with any character changed is refused", async () => {
  for (const flipped of flips(trust)) await expect(readTrust(flipped, pin)).rejects.toThrow(ProvenanceError);
});

test("another owner's manifest is refused, however well signed", async () => {
  const other = await key();
  await expect(readTrust(await signTrust(manifest, other), pin)).rejects.toMatchObject({
    code: "owner_mismatch",
  });
});

test("the header's key counts only when its thumbprint is the pin", async () => {
  const other = await key();
  // The pinned key is shown, another one signed.
  const shown = forge(manifest, { typ: TYP, jwk: owner.jwk }, other);
  await expect(readTrust(shown, pin)).rejects.toMatchObject({ code: "signature_invalid" });
  // A kid or x5c that claims the pin does not help another key.
  const named = forge(manifest, { typ: TYP, jwk: other.jwk, kid: pin }, other);
  await expect(readTrust(named, pin)).rejects.toMatchObject({ code: "owner_mismatch" });
  const keyless = forge(manifest, { typ: TYP, kid: pin });
  await expect(readTrust(keyless, pin)).rejects.toMatchObject({ code: "malformed_trust" });
  // The thumbprint covers kty, crv and x only: what else stands in the key is not used.
  expect(
    await readTrust(forge(manifest, { typ: TYP, jwk: { ...owner.jwk, kid: "x", use: "enc" } }), pin),
  ).toEqual(manifest);
  const withPrivate = forge(manifest, { typ: TYP, jwk: { ...owner.jwk, d: "AA" } });
  await expect(readTrust(withPrivate, pin)).rejects.toMatchObject({ code: "malformed_trust" });
});

test("a signature of the owner for another purpose is no manifest", async () => {
  const asEntry = forge(manifest, { typ: "behest-entry+jwt", jwk: owner.jwk });
  await expect(readTrust(asEntry, pin)).rejects.toMatchObject({ code: "malformed_trust" });
});

const jwk = (await key()).jwk;
const one = { iss: "i", jwk };
test.each([
  ["a member more", { policies: "x" }],
  ["another version", { v: 2 }],
  ["a negative seq", { seq: -1 }],
  ["a time without a zone", { at: "2026-11-20T08:00:00.000" }],
  ["a day that does not exist", { at: "2026-02-30T08:00:00.000Z" }],
  ["an origin with a space", { origin: "my log" }],
  ["an origin with a newline", { origin: "log\nexample" }],
  ["an issuer with neither key nor URL", { issuers: [{ iss: "i" }] }],
  ["an issuer with both", { issuers: [{ ...one, jwks: "https://i/keys" }] }],
  ["an issuer's keys over http", { issuers: [{ iss: "i", jwks: "http://i/keys" }] }],
  ["an unknown rung", { issuers: [{ ...one, rung: "sms" }] }],
  ["subjects that are a text", { issuers: [{ ...one, subjects: "alice" }] }],
  ["tenants that are a text", { issuers: [{ ...one, tenants: "acme" }] }],
  ["a tenant without a name", { issuers: [{ ...one, tenants: ["acme", ""] }] }],
  ["tenants that are null", { issuers: [{ ...one, tenants: null }] }],
  ["a range that is empty", { enforcers: [{ jwk, from: 5, until: 5 }] }],
  ["a range that ends before 0", { enforcers: [{ jwk, until: -1 }] }],
  ["a role with a member more", { enforcers: [{ jwk, scope: "*" }] }],
  ["a private key", { enforcers: [{ jwk: { ...jwk, d: jwk.x } }] }],
  ["a key of small order", { enforcers: [{ jwk: { ...jwk, x: `AQ${"A".repeat(41)}` } }] }],
  ["an RSA key", { enforcers: [{ jwk: { kty: "RSA", n: "AQ", e: "AQAB" } }] }],
  ["a person without a group", { approvers: [{ person: "p", jwk }] }],
  ["a revoker without a scope", { revokers: [{ jwk }] }],
  ["a deployer without a name", { deployers: [{ jwk }] }],
  ["deployers that are no list", { deployers: { jwk, deployer: "d" } }],
  ["a witness, which nothing here would ask", { witnesses: [{ jwk }] }],
  ["a restriction that nothing enforces", { policy: "policies/v1" }],
])("a manifest with %s is refused when read and when signed", async (_, change) => {
  const wrong = { ...manifest, ...change } as unknown as Manifest;
  await expect(readTrust(forge(wrong), pin)).rejects.toMatchObject({ code: "malformed_trust" });
  await expect(signTrust(wrong, owner)).rejects.toMatchObject({ code: "malformed_trust" });
});

test("every member that must be there is missed", async () => {
  for (const name of Object.keys(manifest)) {
    const { [name as keyof Manifest]: _, ...rest } = manifest;
    await expect(readTrust(forge(rest), pin)).rejects.toMatchObject({ code: "malformed_trust" });
  }
});

test("a key may carry a name, which distinguishes nothing", async () => {
  const named = { ...manifest, enforcers: [{ jwk: { ...enforcer.jwk, kid: "kms-1" } }] };
  expect(await readTrust(await signTrust(named, owner), pin)).toEqual(named);
  const twice = { ...named, revokers: [{ scope: "*", jwk: enforcer.jwk }] };
  await expect(signTrust(twice, owner)).rejects.toMatchObject({ code: "roles_not_apart" });
});

test("a deployer may be listed with an old and a new key", async () => {
  const deployers = [
    { deployer: "acme", jwk, until: 5 },
    { deployer: "acme", jwk: issuer.jwk, from: 3 },
  ];
  expect((await readTrust(await signTrust({ ...manifest, deployers }, owner), pin)).deployers).toEqual(
    deployers,
  );
});

test("an enforcer's key holds no other role", async () => {
  const enforcing = { jwk: enforcer.jwk };
  const twice: Partial<Manifest>[] = [
    { issuers: [{ iss: "i", jwk: enforcer.jwk, until: 3 }] },
    { approvers: [{ ...enforcing, group: "g", person: "p" }] },
    { revokers: [{ ...enforcing, scope: "*" }] },
    { deployers: [{ ...enforcing, deployer: "d" }] },
    { enforcers: [{ jwk: owner.jwk }] },
  ];
  for (const change of twice)
    await expect(signTrust({ ...manifest, ...change }, owner)).rejects.toMatchObject({
      code: "roles_not_apart",
    });
  const person = { jwk: issuer.jwk, person: "p" };
  const both = { approvers: [{ ...person, group: "g" }], revokers: [{ jwk: issuer.jwk, scope: "*" }] };
  expect(await readTrust(await signTrust({ ...manifest, ...both }, owner), pin)).toMatchObject(both);
});

test("a role holds from its first index up to, not at, its last", async () => {
  const [a, b, c] = [
    { jwk, until: 5 },
    { jwk, from: 5, until: 9 },
    { jwk, from: 9 },
  ];
  const at = (index?: number) => rolesAt([a, b, c], index);
  expect([at(0), at(4), at(5), at(8), at(9), at(1e9)]).toEqual([[a], [a], [b], [b], [c], [c]]);
  expect(at()).toEqual([c]);
});

test("issuers are handed on with their key or URL and what they may assert", async () => {
  const issuers: Manifest["issuers"] = [
    { iss: "a", jwk: issuer.jwk, subjects: "*", rung: "passkey" },
    { iss: "b", jwks: "https://b.example/jwks.json", until: 7 },
  ];
  const jws = await signTrust(manifestOf({ issuer: issuer.jwk, enforcer: enforcer.jwk }, { issuers }), owner);
  const read = await readTrust(jws, thumbprint(owner.jwk));
  expect(issuersOf(read, 6)).toEqual(issuers);
  expect(issuersOf(read)).toEqual([issuers[0]]);
  expect(anchorsOf(issuersOf(read, 6))).toEqual([
    { iss: "a", jwk: issuer.jwk },
    { iss: "b", jwks: "https://b.example/jwks.json" },
  ]);
});

test("an issuer speaks for its own subjects in its own tenants", async () => {
  const [pinned, other] = [await key(), await key()];
  const iss = "https://issuer.test";
  const speaks = (roles: readonly object[], subject: string, tenant?: string, by = pinned): boolean =>
    speaksFor(
      roles.map((role) => ({ iss, jwk: pinned.jwk, ...role })) as readonly Issuer[],
      { iss, key: thumbprint(by.jwk) },
      { subject, tenant },
    );
  expect([speaks([{}], "a"), speaks([{}], "a", "t"), speaks([], "a")]).toEqual([true, true, false]);
  expect([speaks([{ tenants: "*" }], "a"), speaks([{ tenants: "*" }], "a", "t")]).toEqual([true, true]);
  const one = [{ tenants: ["acme"] }];
  expect([speaks(one, "a", "acme"), speaks(one, "a"), speaks(one, "a", "ac")]).toEqual([true, false, false]);
  expect(speaks([{ tenants: [] }], "a")).toBe(false);
  const both = [{ tenants: ["acme"], subjects: ["a"] }];
  expect([speaks(both, "a", "acme"), speaks(both, "b", "acme"), speaks(both, "a", "x")]).toEqual([
    true,
    false,
    false,
  ]);
  // Two roles of one key are alternatives; what one lacks the other does not lend it.
  const two = [...both, { tenants: ["globex"], subjects: ["b"] }];
  expect([speaks(two, "b", "globex"), speaks(two, "a", "globex")]).toEqual([true, false]);
  expect(speaks([{ tenants: ["acme"] }, { jwk: other.jwk }], "a", "x")).toBe(false);
});

test("of an issuer's several key sets each must let it, as a key does not say which one it came from", async () => {
  const [pinned, fetched] = [await key(), await key()];
  const iss = "https://issuer.test";
  const sets = (...tenants: (readonly string[] | "*")[]): Issuer[] =>
    tenants.map((names, i) => ({ iss, jwks: `https://issuer.test/${i}`, tenants: names }));
  const speaks = (roles: readonly Issuer[], tenant: string, by = fetched): boolean =>
    speaksFor(roles, { iss, key: thumbprint(by.jwk) }, { subject: "a", tenant });
  expect([speaks(sets(["acme"]), "acme"), speaks(sets(["acme"]), "globex")]).toEqual([true, false]);
  expect(speaks(sets(["acme"], ["globex"]), "acme")).toBe(false);
  expect(speaks(sets(["acme"], ["acme", "globex"]), "acme")).toBe(true);
  expect(speaks(sets(["acme"], "*"), "globex")).toBe(false);
  const again = [...sets(["acme"]), { iss, jwks: "https://issuer.test/0", tenants: ["globex"] }];
  expect([speaks(again, "acme"), speaks(again, "globex")]).toEqual([true, true]);
  // A key that a role pins asserts what that role says, wherever else it is published.
  const named = [...sets("*"), { iss, jwk: pinned.jwk, tenants: ["acme"] }];
  expect([speaks(named, "globex", pinned), speaks(named, "acme", pinned)]).toEqual([false, true]);
  expect(speaks(named, "globex")).toBe(true);
});

test("an issuer states no stronger consent than the manifest says it obtains", async () => {
  const { jwk } = await key();
  const signed = { iss: "https://issuer.test", key: thumbprint(jwk) };
  const speaks = (role: object, rung?: Rung): boolean =>
    speaksFor([{ iss: signed.iss, jwk, ...role }], signed, { subject: "a", ...(rung && { rung }) });
  expect([speaks({}, "passkey"), speaks({ rung: "passkey" }, "passkey")]).toEqual([true, true]);
  expect([speaks({ rung: "oauth" }), speaks({ rung: "oauth" }, "oauth")]).toEqual([true, true]);
  expect([speaks({ rung: "oauth" }, "passkey"), speaks({ rung: "local" }, "oauth")]).toEqual([false, false]);
});
