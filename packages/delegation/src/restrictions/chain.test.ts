import { compactVerify, importJWK } from "jose";
import { beforeAll, expect, test } from "vitest";
import {
  type Json,
  signCompact,
  splitCompact,
  fromBase64url,
  fromUtf8,
  toBase64url,
  utf8,
} from "@behest/jws";
import { type DeriveClaims, deriveDelegation } from "../derive.ts";
import { type Holder, generateHolder } from "../keys/holder.ts";
import { type IssueClaims, issueDelegation } from "../issue.ts";
import { type VerifyOptions, verifyDelegation } from "../verify.ts";

const now = 1_800_000_000;
const ISSUER = "https://issuer.test";
let issuer: Holder, agent: Holder, sub: Holder;
beforeAll(async () => {
  [issuer, agent, sub] = [await generateHolder(), await generateHolder(), await generateHolder()];
});

const restricted = {
  workspace: "acme/finance",
  limits: [
    { calls: 20, amount: { EUR: "500.00" } },
    { amount: { EUR: "50" }, per: "action" as const },
  ],
  fanOut: 3,
  effects: ["read", "reversible"] as const,
  approvals: { pay: { finance: 1 } },
};
const carried = {
  workspace: "acme/finance",
  limits: { subtree: { calls: 20, amount: { EUR: "500.00" } }, action: { amount: { EUR: "50" } } },
  fan_out: 3,
  effects: ["read", "reversible"],
  approvals: { pay: { finance: 1 } },
};

const issue = (more: Partial<IssueClaims> = {}) =>
  issueDelegation(
    {
      issuer: ISSUER,
      holder: agent.jwk,
      principal: "u",
      task: "t",
      tools: { pay: {} },
      expiresIn: "1h",
      now,
      ...more,
    },
    issuer,
  );
const verify = (delegation: { chain: readonly string[] }) =>
  verifyDelegation(delegation, { issuers: [{ iss: ISSUER, jwk: issuer.jwk }], now });
const child = { tools: { pay: {} }, now };

/** A child of our agent's that says in its header whatever we like. */
async function forged(root: { chain: readonly string[] }, header: { [name: string]: Json }) {
  const honest = await deriveDelegation(root, { ...child, holder: sub.jwk }, agent);
  const payload = JSON.parse(splitCompact(honest.chain[1]!).payload) as { [name: string]: Json };
  return { chain: [root.chain[0]!, await signCompact({ typ: "aat+jwt", ...header }, payload, agent)] };
}

test("a root carries what restricts it in its protected header, named in crit, and a verifier reads it there", async () => {
  const root = await issue(restricted);
  const { header } = splitCompact(root.chain[0]!);
  expect(header).toEqual({ alg: "Ed25519", typ: "aat+jwt", crit: ["bhst"], bhst: carried });
  expect((await verify(root)).restrictions).toEqual(carried);
});

test("what nothing restricts is a plain token, byte for byte", async () => {
  const root = await issue();
  expect(splitCompact(root.chain[0]!).header).toEqual({ alg: "Ed25519", typ: "aat+jwt" });
  expect((await verify(root)).restrictions).toBeUndefined();
});

test("a verifier that does not know bhst refuses a token that carries it, and takes one that does not", async () => {
  const key = await importJWK({ ...issuer.jwk }, "Ed25519");
  await expect(compactVerify((await issue()).chain[0]!, key)).resolves.toBeDefined();
  await expect(compactVerify((await issue(restricted)).chain[0]!, key)).rejects.toMatchObject({
    code: "ERR_JOSE_NOT_SUPPORTED",
  });
});

test("a child inherits all of it, tightens part of it, and never loses any", async () => {
  const root = await issue(restricted);
  const same = await deriveDelegation(root, { ...child, holder: sub.jwk }, agent);
  expect((await verify(same)).restrictions).toEqual(carried);
  const tighter = await deriveDelegation(
    root,
    {
      ...child,
      holder: sub.jwk,
      workspace: "acme/finance/travel",
      limits: { calls: 5 },
      effects: ["read"],
      approvals: { pay: { finance: 2 }, "*": { legal: 1 } },
      minConsent: "local",
    },
    agent,
  );
  expect((await verify(tighter)).restrictions).toEqual({
    ...carried,
    workspace: "acme/finance/travel",
    limits: { ...carried.limits, subtree: { calls: 5, amount: { EUR: "500.00" } } },
    effects: ["read"],
    approvals: { pay: { finance: 2 }, "*": { legal: 1 } },
    consent: { min: "local" },
  });
});

test.each([
  ["workspace", { workspace: "acme" }],
  ["workspace", { workspace: "acme/finance-2" }],
  ["limits", { limits: { calls: 21 } }],
  ["limits", { limits: { amount: { EUR: "500.01" } } }],
  ["limits", { limits: { amount: { USD: "1" } } }],
  ["fan_out", { fanOut: 4 }],
  ["effects", { effects: ["irreversible"] as const }],
])("a child that asks for a looser %s is refused with its name", async (path, asked) => {
  await expect(
    deriveDelegation(await issue(restricted), { ...child, ...asked, holder: sub.jwk }, agent),
  ).rejects.toMatchObject({ code: "wider_than_parent", wider: [{ path }] });
});

test.each(Object.keys(carried))("a signed child that drops %s is refused", async (name) => {
  const { [name]: _dropped, ...rest } = carried as { [name: string]: Json };
  const chain = await forged(await issue(restricted), { crit: ["bhst"], bhst: rest });
  await expect(verify(chain)).rejects.toMatchObject({
    code: "wider_than_parent",
    step: "bhst",
    hop: 1,
    wider: [{ path: name, child: "none" }],
  });
});

test("a signed child without the header parameter is refused under a parent that has it", async () => {
  await expect(verify(await forged(await issue(restricted), {}))).rejects.toMatchObject({
    code: "wider_than_parent",
    hop: 1,
  });
});

test.each<[string, { [name: string]: Json }]>([
  ["without crit, so that others would ignore it", { bhst: { fan_out: 1 } }],
  ["with a crit that names something else", { crit: ["exp"], exp: 1, bhst: { fan_out: 1 } }],
  ["named twice", { crit: ["bhst", "bhst"], bhst: { fan_out: 1 } }],
  ["named but missing", { crit: ["bhst"] }],
  ["empty", { crit: ["bhst"], bhst: {} }],
  ["null", { crit: ["bhst"], bhst: null }],
  ["with a member nobody knows", { crit: ["bhst"], bhst: { fan_out: 1, geofence: "EU" } }],
])("bhst %s is refused at the header", async (_, header) => {
  await expect(verify(await forged(await issue(), header))).rejects.toMatchObject({
    code: "header_refused",
    step: "4a",
    hop: 1,
  });
});

test("a number that is spelt oddly is no number there", async () => {
  const root = await issue();
  const honest = await forged(root, { crit: ["bhst"], bhst: { fan_out: 1 } });
  const [head, payload] = honest.chain[1]!.split(".");
  const text = fromUtf8(fromBase64url(head!)).replace('"fan_out":1', '"fan_out":1.0');
  const input = `${toBase64url(utf8(text))}.${payload!}`;
  const token = `${input}.${toBase64url(await agent.sign(utf8(input)))}`;
  await expect(verify({ chain: [root.chain[0]!, token] })).rejects.toMatchObject({ code: "header_refused" });
});

test("a status reference is the issuer's to give, and a child keeps it", async () => {
  const status = { uri: "https://status.test/list/1", idx: 7 };
  const root = await issue({ status });
  const derived = await deriveDelegation(root, { ...child, holder: sub.jwk }, agent);
  expect((await verify(derived)).restrictions).toEqual({ status });
  await expect(
    deriveDelegation(root, { ...child, holder: sub.jwk, status } as never, agent),
  ).rejects.toMatchObject({ code: "malformed_request" });
});

test("a child cannot choose whom verifiers ask: it has no status unless its parent has", async () => {
  const status = { uri: "https://status.test/list/1", idx: 7 };
  const asked: unknown[] = [];
  const refused = {
    code: "wider_than_parent",
    step: "bhst",
    wider: [expect.objectContaining({ path: "status" }) as object],
  };
  for (const root of [await issue(), await issue({ fanOut: 1 }), await issue({ status })]) {
    const { restrictions } = await verify(root);
    for (const uri of ["https://status.test/list/2", "https://169.254.169.254/latest/meta-data/"]) {
      const bhst = { ...restrictions, status: { uri, idx: 7 } };
      const chain = await forged(root, { crit: ["bhst"], bhst });
      await expect(
        verifyDelegation(chain, {
          issuers: [{ iss: ISSUER, jwk: issuer.jwk }],
          now,
          status: (reference) => Boolean(asked.push(reference)),
        }),
      ).rejects.toMatchObject(refused);
    }
  }
  expect(asked).toEqual([]);
});

test.each([
  ["as strong as demanded", { rung: "oauth" } as const, "oauth" as const],
  ["stronger", { rung: "passkey" } as const, "oauth" as const],
])("consent that is %s will do", async (_, consent, minConsent) => {
  await expect(verify(await issue({ consent, minConsent }))).resolves.toMatchObject({ consent });
});

test.each([
  ["not stated", {}, "oauth" as const],
  ["weaker", { consent: { rung: "oauth" } as const }, "passkey" as const],
])("consent that is %s will not", async (_, said, minConsent) => {
  await expect(issue({ ...said, minConsent })).rejects.toMatchObject({ code: "consent_insufficient" });
});

test("a child may demand more consent than there is, and is then good for nothing; evidence cannot be exchanged", async () => {
  const [evidence, other] = ["A".repeat(43), "Q".repeat(43)];
  const root = await issue({ consent: { rung: "oauth", evidence }, minConsent: { min: "local", evidence } });
  await expect(verify(root)).resolves.toMatchObject({
    restrictions: { consent: { min: "local", evidence } },
  });
  const derive = (minConsent: DeriveClaims["minConsent"]) =>
    deriveDelegation(root, { ...child, holder: sub.jwk, ...(minConsent && { minConsent }) }, agent);
  await expect(derive("passkey")).rejects.toMatchObject({ code: "consent_insufficient" });
  await expect(derive({ min: "oauth", evidence: other })).rejects.toMatchObject({
    code: "wider_than_parent",
  });
  const kept = await derive("oauth");
  await expect(verify(kept)).resolves.toMatchObject({
    restrictions: { consent: { min: "oauth", evidence } },
  });
});

async function withStatus(status: NonNullable<VerifyOptions["status"]>): Promise<unknown> {
  const root = await issue({ status: { uri: "https://status.test/list/1", idx: 7 } });
  const derived = await deriveDelegation(root, { ...child, holder: sub.jwk }, agent);
  return verifyDelegation(derived, { issuers: [{ iss: ISSUER, jwk: issuer.jwk }], now, status });
}

test("whoever can look up a status is asked once, and a valid one will do", async () => {
  const asked: unknown[] = [];
  const valid = async (reference: unknown): Promise<boolean> => asked.push(reference) > 0;
  await expect(withStatus(valid)).resolves.toBeDefined();
  expect(asked).toEqual([{ uri: "https://status.test/list/1", idx: 7 }]);
});

test.each([
  ["revoked", () => false],
  ["unknown", () => undefined as never],
  ["not to be had", () => Promise.reject(new Error("unreachable"))],
])("a chain whose status is %s is refused", async (_, status) => {
  await expect(withStatus(status)).rejects.toMatchObject({ code: "revoked" });
});
