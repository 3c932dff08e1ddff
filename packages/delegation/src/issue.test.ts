import { generatePrivateJwk, signerOf } from "@behest/jws";
import { expect, test } from "vitest";
import {
  DelegationError,
  type IssueClaims,
  deriveDelegation,
  generateHolder,
  holderOf,
  issueDelegation,
  verifyDelegation,
} from "./index.ts";

const issuer = await generateHolder();
const holder = await generateHolder();
const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
const claims: IssueClaims = {
  issuer: "https://issuer.test",
  holder: holder.jwk,
  principal: "user-7",
  task: "Answer the mail",
  tools: {
    send_mail: {
      to: { constraint_type: "email", domain: "example.com" },
      "*": { constraint_type: "wildcard" },
    },
    list: {},
  },
  expiresIn: "1h",
};

test("a root says who stands behind it, what it permits and to whom it is bound", async () => {
  const { chain } = await issueDelegation({ ...claims, now: 1_800_000_000, jti: "j-1" }, issuer);
  const verified = await verifyDelegation({ chain }, { issuers, now: 1_800_000_001 });
  expect(verified).toEqual({
    principal: "user-7",
    consent: { rung: "local" },
    issuer: "https://issuer.test",
    issuerKey: issuer.thumbprint,
    tools: { ...claims.tools, list: { "*": { constraint_type: "wildcard" } } },
    hops: 1,
    claims: [verified.leaf],
    leaf: {
      jti: "j-1",
      iss: "https://issuer.test",
      sub: "user-7",
      task: "Answer the mail",
      agent: undefined,
      consent: { rung: "local" },
      iat: 1_800_000_000,
      exp: 1_800_003_600,
      depth: 0,
      maxDepth: 3,
      holder: holder.thumbprint,
      jwk: holder.jwk,
      hash: expect.stringMatching(/^[\w-]{43}$/),
    },
  });
  expect([verified, verified.tools, verified.tools["list"], verified.leaf.jwk].every(Object.isFrozen)).toBe(
    true,
  );
});

test("a root can say what its agent is called", async () => {
  const named = await issueDelegation({ ...claims, agent: "assistant" }, issuer);
  expect((await verifyDelegation(named, { issuers })).leaf.agent).toBe("assistant");
});

test("ids are UUIDs of version 7 and differ", async () => {
  const ids = await Promise.all(
    [1, 2].map(
      async () => (await verifyDelegation(await issueDelegation(claims, issuer), { issuers })).leaf.jti,
    ),
  );
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(2);
});

test("a signer may live elsewhere and answer later", async () => {
  const inner = signerOf(await generatePrivateJwk());
  const remote = holderOf({ jwk: inner.jwk, sign: async (bytes) => inner.sign(bytes) });
  const delegation = await issueDelegation(claims, remote);
  await expect(
    verifyDelegation(delegation, { issuers: [{ iss: claims.issuer, jwk: inner.jwk }] }),
  ).resolves.toHaveProperty("hops", 1);
});

test.each<[string, object, string]>([
  ["an issuer that is no URI", { issuer: "alice" }, "malformed_request"],
  ["no principal", { principal: "" }, "malformed_request"],
  ["no task", { task: undefined }, "malformed_request"],
  ["a private key as holder", { holder: await generatePrivateJwk() }, "malformed_request"],
  [
    "a small-order key as holder",
    { holder: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } },
    "malformed_request",
  ],
  ["no lifetime", { expiresIn: 0 }, "malformed_request"],
  ["half a second", { expiresIn: 0.5 }, "malformed_request"],
  ["a lifetime without a unit", { expiresIn: "10" }, "malformed_request"],
  ["a lifetime with a sign", { expiresIn: "-1h" }, "malformed_request"],
  ["91 days", { expiresIn: "91d" }, "malformed_request"],
  ["a depth of 9", { maxDepth: 9 }, "malformed_request"],
  ["a fractional depth", { maxDepth: 0.5 }, "malformed_request"],
  ["an empty audience", { audience: [""] }, "malformed_request"],
  ["a restriction that nobody would enforce", { geofence: "EU" }, "malformed_request"],
  ["another one", { limits: { requests: 3 } }, "malformed_request"],
  [
    "an unknown constraint",
    { tools: { t: { a: { constraint_type: "regex", pattern: ".*" } } } },
    "malformed_grant",
  ],
  ["a stray member", { tools: { t: { a: { constraint_type: "wildcard", note: 1 } } } }, "malformed_grant"],
  [
    "a constraint that is not JSON",
    { tools: { t: { a: { constraint_type: "exact", value: () => 1 } } } },
    "malformed_grant",
  ],
  ["a guarded star", { tools: { t: { "*": { constraint_type: "exact", value: 1 } } } }, "malformed_grant"],
  [
    "too many tools",
    { tools: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`t${i}`, {}])) },
    "malformed_grant",
  ],
  ["too large a token", { task: "x".repeat(70_000) }, "malformed_delegation"],
  ["a clock that is none", { now: Number.NaN }, "malformed_request"],
])("refuses before anybody relies on it: %s", async (_, change, code) => {
  const error: unknown = await issueDelegation({ ...claims, ...change } as IssueClaims, issuer).catch(
    (e: unknown) => e,
  );
  expect(DelegationError.isInstance(error) && error.code).toBe(code);
});

test("a signer whose signatures do not belong to its public key is found out at once", async () => {
  const other = await generateHolder();
  const mixed = { jwk: issuer.jwk, sign: (bytes: Uint8Array) => other.sign(bytes) };
  await expect(issueDelegation(claims, mixed)).rejects.toMatchObject({
    code: "signature_invalid",
  });
});

test("no two tokens are named by the same hash, whatever they say: nobody can guess what one said", async () => {
  const same = { ...claims, now: 1_800_000_000, jti: "j-1" };
  const hashes = await Promise.all(
    [1, 2].map(async () => {
      const delegation = await issueDelegation(same, issuer);
      const derived = await deriveDelegation(
        delegation,
        { holder: holder.jwk, tools: claims.tools, now: 1_800_000_001, jti: "j-2" },
        holder,
      );
      const { claims: hops } = await verifyDelegation(derived, { issuers, now: 1_800_000_001 });
      return hops.map(({ hash }) => hash);
    }),
  );
  expect(new Set(hashes.flat()).size).toBe(4);
});
