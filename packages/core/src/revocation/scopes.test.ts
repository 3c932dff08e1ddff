import { generatePrivateJwk, signerOf } from "@behest/jws";
import { type CutTarget, type Manifest, type Revoker, signCut } from "@behest/provenance";
import { expect, test } from "vitest";
import { admit } from "./admission.ts";
import { Cuts } from "./cuts.ts";
import { Lineage, keyOfCut } from "./keys.ts";
import { spanOf } from "./span.ts";

const revoker = signerOf(await generatePrivateJwk());
const manifest = (roles: readonly (Omit<Revoker, "jwk"> & { readonly jwk?: never })[]): Manifest =>
  ({ revokers: roles.map((role) => ({ ...role, jwk: revoker.jwk })) }) as unknown as Manifest;

/** A chain of a root and one child. */
function chain(root: { principal?: string; tenant?: string; iss?: string }): Lineage {
  const { principal = "alice", tenant, iss = "https://id.example" } = root;
  const hop = { iat: 100, holder: "key", agent: "clerk" };
  return new Lineage(
    [
      { ...hop, jti: "root", iss, tenant },
      { ...hop, jti: "child", iss: "parent-key", tenant: undefined },
    ],
    principal,
  );
}

async function stops(
  target: CutTarget,
  roles: Parameters<typeof manifest>[0],
  lineage: Lineage,
): Promise<boolean> {
  const { jws } = await signCut(target, { reason: "r", at: 1000 }, revoker);
  const { cut, scopes } = await admit(jws, manifest(roles), "now");
  return scopes.some((scope) => {
    const { words, form } = keyOfCut(cut.target, scope);
    const cuts = new Cuts();
    cuts.add(words, spanOf(cut), 1000);
    return cuts.concerns(lineage.keys(form), lineage.issued);
  });
}

const acme = chain({ tenant: "acme" });
const beta = chain({ tenant: "beta" });
const none = chain({});
const other = chain({ iss: "https://other.example" });
const TARGETS: readonly CutTarget[] = [
  { principal: "alice" },
  { agent: "clerk" },
  { holder: "key" },
  { delegation: "root" },
  { delegation: "child" },
];

test.each(TARGETS.map((target) => [Object.keys(target)[0], target] as const))(
  "a revoker of one tenant cuts by %s what lies in it, and nothing beside it",
  async (_, target) => {
    const roles = [{ scope: "tenant:acme" }];
    expect(await stops(target, roles, acme)).toBe(true);
    for (const lineage of [beta, none, other]) expect(await stops(target, roles, lineage)).toBe(false);
  },
);

test.each(TARGETS.map((target) => [Object.keys(target)[0], target] as const))(
  "a revoker of one issuer cuts by %s what that issuer's roots stand for",
  async (_, target) => {
    const roles = [{ scope: "issuer:https://id.example" }];
    for (const lineage of [acme, beta, none]) expect(await stops(target, roles, lineage)).toBe(true);
    expect(await stops(target, roles, other)).toBe(false);
  },
);

test("a person or a delegation of one issuer is not the one that another names so", async () => {
  for (const target of [
    { principal: "alice", issuer: "https://id.example" },
    { delegation: "root", issuer: "https://id.example" },
  ]) {
    expect(await stops(target, [{ scope: "*" }], none)).toBe(true);
    expect(await stops(target, [{ scope: "*" }], other)).toBe(false);
  }
});

test("what plainly lies outside of a scope is refused at the door, and so is a scope or role that is none", async () => {
  const refused = { code: "revocation_refused" };
  const cases: readonly (readonly [CutTarget, Parameters<typeof manifest>[0]])[] = [
    [{ tenant: "beta" }, [{ scope: "tenant:acme" }]],
    [{ principal: "a", issuer: "https://other.example" }, [{ scope: "issuer:https://id.example" }]],
    [{ agent: "clerk" }, [{ scope: "all" }]],
    [{ agent: "clerk" }, [{ scope: "tenant:" }]],
    [{ agent: "clerk" }, [{ scope: "*", until: 5 }]],
    [{ agent: "clerk" }, []],
  ];
  for (const [target, roles] of cases)
    await expect(stops(target, roles, none)).rejects.toMatchObject(refused);
});

test("a cut that was taken in before stands when its revoker's role has ended since", async () => {
  const { jws } = await signCut({ agent: "clerk" }, { reason: "r" }, revoker);
  await expect(admit(jws, manifest([{ scope: "*", until: 5 }]), "before")).resolves.toMatchObject({
    scopes: ["*"],
  });
});

test("a name in one kind of target is not the same name in another", async () => {
  const named = chain({ principal: "x", tenant: "x" });
  for (const target of [{ agent: "x" }, { holder: "x" }, { delegation: "x" }] as const)
    expect(await stops(target, [{ scope: "*" }], named)).toBe(false);
});
