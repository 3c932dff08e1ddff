import { type Json, signCompact } from "@behest/jws";
import { afterAll, expect, test } from "vitest";
import { localServer } from "../../test/https.ts";
import {
  type Anchor,
  type Delegation,
  type Holder,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "../index.ts";

const [issuer, other, holder] = [await generateHolder(), await generateHolder(), await generateHolder()];
const iss = "https://issuer.test";
const server = await localServer((path, response) =>
  response.end(JSON.stringify({ keys: [path === "/other" ? other.jwk : issuer.jwk] })),
);
afterAll(() => server[Symbol.asyncDispose]());

const claims = { issuer: iss, holder: holder.jwk, task: "t", tools: {}, expiresIn: "1h" } as const;
const root = (principal: string, tenant?: string, signer = issuer): Promise<Delegation> =>
  issueDelegation({ ...claims, principal, ...(tenant !== undefined && { tenant }) }, signer);
/** The last token with claims changed or, as undefined, taken out, signed again. */
async function resigned({ chain }: Delegation, change: object, signer = issuer): Promise<Delegation> {
  const said = JSON.parse(Buffer.from(chain.at(-1)!.split(".")[1]!, "base64url").toString()) as object;
  const payload = JSON.parse(JSON.stringify({ ...said, ...change })) as { [name: string]: Json };
  return { chain: [...chain.slice(0, -1), await signCompact({ typ: "aat+jwt" }, payload, signer)] };
}
/** `ok`, or `code step hop` of the refusal. */
async function verdict(delegation: Delegation, ...issuers: readonly object[]): Promise<string> {
  return verifyDelegation(delegation, { issuers: issuers as readonly Anchor[] }).then(
    () => "ok",
    (error: unknown) => {
      const { code, step = "-", hop = "-" } = error as { code: string; step?: string; hop?: number };
      return `${code} ${step} ${hop}`;
    },
  );
}
const REFUSED = "issuer_untrusted 3k 0";
const pinned = { iss, jwk: issuer.jwk };

test("a tenant is part of what the issuer asserts, and what a verifier learns", async () => {
  const delegation = await deriveDelegation(
    await root("alice", "acme"),
    { holder: holder.jwk, tools: {} },
    holder,
  );
  const verified = await verifyDelegation(delegation, { issuers: [pinned] });
  expect([verified.tenant, verified.claims.map(({ tenant }) => tenant)]).toEqual([
    "acme",
    ["acme", undefined],
  ]);
  const without = await verifyDelegation(await root("alice"), { issuers: [pinned] });
  expect("tenant" in without).toBe(false);
  for (const tenant of ["", 7, null, "\ud800"])
    await expect(root("alice", tenant as string)).rejects.toMatchObject({ code: "malformed_request" });
});

test("two ways to one URL do not share what they may assert, two spellings of it do", async () => {
  const at = (key: Holder) => async (): Promise<Response> => Response.json({ keys: [key.jwk] });
  const [one, two] = [at(issuer), at(other)];
  const jwks = "https://sets.test/keys";
  const issuers = [
    { iss, jwks, fetch: one, tenants: ["a"] },
    { iss, jwks, fetch: two, tenants: ["b"] },
    { iss, jwks: "HTTPS://sets.test:443/keys", fetch: one, tenants: ["c"] },
  ];
  expect(await verdict(await root("u", "a"), ...issuers)).toBe("ok");
  expect(await verdict(await root("u", "b", other), ...issuers)).toBe("ok");
  expect(await verdict(await root("u", "c"), ...issuers)).toBe("ok");
  expect(await verdict(await root("u", "b"), ...issuers)).toBe(REFUSED);
  for (const tenant of ["a", "c"])
    expect(await verdict(await root("u", tenant, other), ...issuers)).toBe(REFUSED);
});

// Absent means any; a list means exactly these.
test.each<[string, object, readonly string[]]>([
  ["nothing named", {}, ["alice acme", "alice -", "bob globex", "- acme", "- -"]],
  ["one tenant", { tenants: ["acme"] }, ["alice acme", "- acme"]],
  ["two tenants", { tenants: ["acme", "globex"] }, ["alice acme", "bob globex", "- acme"]],
  ["no tenant at all", { tenants: [] }, []],
  ["a tenant that is part of a name", { tenants: ["ac", "acme.", "Acme", "acme/eu"] }, []],
  ["one subject", { subjects: ["alice"] }, ["alice acme", "alice -"]],
  ["no subject at all", { subjects: [] }, []],
  ["the issuer for itself", { subjects: [iss] }, ["- acme", "- -"]],
  ["a subject in a tenant", { tenants: ["globex"], subjects: ["bob"] }, ["bob globex"]],
  ["a subject of another tenant", { tenants: ["globex"], subjects: ["alice"] }, []],
  ["a name that was left undefined", { tenants: [undefined], subjects: ["alice"] }, []],
  ["a wildcard, which is none", { tenants: ["*"], subjects: ["*"] }, []],
])("an anchor with %s asserts these and no others", async (_, named, expected) => {
  const roots: readonly [string, Delegation][] = [
    ["alice acme", await root("alice", "acme")],
    ["alice -", await root("alice")],
    ["bob globex", await root("bob", "globex")],
    ["- acme", await resigned(await root("x", "acme"), { sub: undefined })],
    ["- -", await resigned(await root("x"), { sub: undefined })],
  ];
  for (const anchor of [
    { ...pinned, ...named },
    { iss, jwks: `${server.origin}/keys`, ...named },
  ])
    for (const [name, delegation] of roots)
      expect([name, await verdict(delegation, anchor)]).toEqual([
        name,
        expected.includes(name) ? "ok" : REFUSED,
      ]);
});

test("lists that are no arrays assert nothing: a text would contain parts of itself", async () => {
  const delegation = await root("alice", "acme");
  for (const wrong of ["acme", "acme globex", "*", null, 7, {}, new Set(["acme"]), { includes: () => true }])
    for (const name of ["tenants", "subjects"])
      expect(await verdict(delegation, { ...pinned, [name]: wrong })).toBe("malformed_request - -");
});

test("a key asserts what its own anchors say, together, and not what another key's say", async () => {
  const forAlice = { ...pinned, subjects: ["alice"] };
  const forAcme = { ...pinned, tenants: ["acme"] };
  const others = { iss, jwk: other.jwk };
  expect(await verdict(await root("alice"), forAlice, forAcme)).toBe("ok");
  expect(await verdict(await root("bob", "acme"), forAlice, forAcme)).toBe("ok");
  expect(await verdict(await root("bob"), forAlice, forAcme)).toBe(REFUSED);
  expect(await verdict(await root("bob"), others, forAlice)).toBe(REFUSED);
  expect(await verdict(await root("bob", undefined, other), others, forAlice)).toBe("ok");
  // The same key under another issuer's name, and the same key published without a limit.
  expect(await verdict(await root("bob"), { ...pinned, iss: "https://else.test" }, forAlice)).toBe(REFUSED);
  expect(await verdict(await root("bob"), forAlice, { iss, jwks: `${server.origin}/keys` })).toBe(REFUSED);
});

test("of two key sets of one issuer each asserts its own", async () => {
  const sets = [
    { iss, jwks: `${server.origin}/keys`, tenants: ["acme"] },
    { iss, jwks: new URL(`${server.origin}/other`), tenants: ["globex"] },
  ];
  expect(await verdict(await root("a", "acme"), ...sets)).toBe("ok");
  expect(await verdict(await root("a", "globex"), ...sets)).toBe(REFUSED);
  expect(await verdict(await root("a", "globex", other), ...sets)).toBe("ok");
  expect(await verdict(await root("a", "acme", other), ...sets)).toBe(REFUSED);
});

test("a child may repeat the root's tenant, never change or add it", async () => {
  const child = async (tenant: string | undefined, change: object): Promise<Delegation> =>
    resigned(
      await deriveDelegation(await root("alice", tenant), { holder: other.jwk, tools: {} }, holder),
      change,
      holder,
    );
  const anchor = { ...pinned, tenants: ["acme", "globex"] };
  expect(await verdict(await child("acme", { tenant: "acme" }), anchor)).toBe("ok");
  for (const tenant of ["globex", "ACME", "acme ", "acme\u0000"])
    expect(await verdict(await child("acme", { tenant }), anchor)).toBe("principal_changed - 1");
  expect(await verdict(await child(undefined, { tenant: "acme" }), pinned)).toBe("principal_changed - 1");
  for (const tenant of ["", 7, null, ["acme"], {}]) {
    expect(await verdict(await child("acme", { tenant }), anchor)).toBe("malformed_delegation - 1");
    expect(await verdict(await resigned(await root("alice"), { tenant }), pinned)).toBe(
      "malformed_delegation - 0",
    );
    expect(await verdict(await resigned(await root("alice"), { tenant }), anchor)).toBe(REFUSED);
  }
  const third = await deriveDelegation(await child("acme", {}), { holder: holder.jwk, tools: {} }, other);
  expect(await verdict(await resigned(third, { tenant: "globex" }, other), anchor)).toBe(
    "principal_changed - 2",
  );
});

test("what was wrong before step 3k is said first", async () => {
  const anchor = { ...pinned, tenants: ["globex"] };
  expect(await verdict(await resigned(await root("a", "acme"), { exp: 1 }), anchor)).toBe(
    "delegation_expired 3e 0",
  );
  expect(await verdict(await resigned(await root("a", "acme"), { jti: "" }), anchor)).toBe(
    "malformed_delegation 3j 0",
  );
  expect(await verdict(await resigned(await root("a", "acme"), { cnf: {} }), anchor)).toBe(REFUSED);
});
