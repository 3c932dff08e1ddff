import { generateKeyPairSync, type webcrypto } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type * as Package from "./index.ts";

// Without node:crypto and Buffer everything falls back to WebCrypto, as in a browser.
let portable: typeof Package;
let native: typeof Package;
let hidden: unknown = "not looked at";
const { getBuiltinModule } = process;
const { Buffer: NodeBuffer } = globalThis;
beforeAll(async () => {
  native = await import("./index.ts");
  vi.resetModules();
  Object.assign(process, { getBuiltinModule: undefined });
  Object.assign(globalThis, { Buffer: undefined });
  try {
    portable = await import("./index.ts");
    hidden = (await import("../../jws/src/platform.ts")).node;
  } finally {
    Object.assign(process, { getBuiltinModule });
    Object.assign(globalThis, { Buffer: NodeBuffer });
  }
});
afterAll(() => vi.resetModules());

test("node:crypto is really out of reach", () => {
  expect(hidden).toBeUndefined();
});

test("what one platform signs the other verifies, and both refuse the same", async () => {
  for (const [here, there] of [
    [portable, native],
    [native, portable],
    [portable, portable],
  ] as const) {
    const [issuer, agent, helper] = [
      await here.generateHolder(),
      await here.generateHolder(),
      await here.generateHolder(),
    ];
    const tools = { pay: { amount: here.is.atMost(50).constraint } };
    const claims = {
      issuer: "https://issuer.test",
      holder: agent.jwk,
      principal: "Ünï",
      task: "t",
      tools,
      expiresIn: "1h",
    } as const;
    const root = await here.issueDelegation(claims, issuer);
    const delegation = await here.deriveDelegation(root, { holder: helper.jwk, tools }, agent);
    const call = { tool: "pay", args: { amount: 20 } };
    const proof = await here.proveAction({ delegation, ...call }, helper);
    const options = { issuers: [{ iss: "https://issuer.test", jwk: issuer.jwk }] };
    const verified = await there.verifyAction({ chain: delegation, proof, ...call }, options);
    expect(verified).toMatchObject({ principal: "Ünï", hops: 2, leaf: { holder: helper.thumbprint } });

    const damaged = delegation.chain.map((token) => `${token.slice(0, -8)}AAAAAAAA`);
    await expect(there.verifyDelegation(damaged, options)).rejects.toMatchObject({
      code: "issuer_untrusted",
      step: "3b",
    });
    await expect(there.verifyDelegation([root.chain[0]!, damaged[1]!], options)).rejects.toMatchObject({
      step: "4b",
    });
  }
});

test("a holder key off the curve is refused as a signature, and disturbs nothing else", async () => {
  const issuer = await portable.generateHolder();
  const nowhere = { kty: "OKP", crv: "Ed25519", x: `Ag${"A".repeat(41)}` } as const;
  const claims = {
    issuer: "https://issuer.test",
    holder: nowhere,
    principal: "p",
    task: "t",
    tools: {},
    expiresIn: "1h",
  } as const;
  const root = await portable.issueDelegation(claims, issuer);
  const proof = await portable.proveAction(
    {
      delegation: await portable.issueDelegation({ ...claims, holder: issuer.jwk }, issuer),
      tool: "t",
      args: {},
    },
    issuer,
  );
  const verdict = portable.verifyAction(
    { chain: root, proof, tool: "t", args: {} },
    { issuers: [{ iss: "https://issuer.test", jwk: issuer.jwk }] },
  );
  await expect(verdict).rejects.toMatchObject({ step: "7b" });
});

test("keys of every origin sign without node:crypto, too", async () => {
  const pairs = [1, 2].map(() => crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
  const [pair, other] = (await Promise.all(pairs)) as [webcrypto.CryptoKeyPair, webcrypto.CryptoKeyPair];
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  for (const here of [portable, native])
    for (const signer of [await here.signerFromWebCrypto(pair), await here.signerFromPkcs8(pem)]) {
      const claims = { holder: signer.jwk, principal: "p", task: "t", tools: {}, expiresIn: "1h" } as const;
      const root = await here.issueDelegation({ issuer: "https://issuer.test", ...claims }, signer);
      const issuers = [{ iss: "https://issuer.test", jwk: signer.jwk }];
      for (const there of [portable, native])
        expect(await there.verifyDelegation(root, { issuers })).toHaveProperty("hops", 1);
    }
  const x25519 = generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" });
  for (const wrong of ["", x25519.toString(), pem + pem, pem.replaceAll("PRIVATE", "PUBLIC")])
    await expect(portable.signerFromPkcs8(wrong)).rejects.toMatchObject({ code: "malformed_key" });
  await expect(
    portable.signerFromWebCrypto({ privateKey: pair.privateKey, publicKey: other.publicKey }),
  ).rejects.toMatchObject({ code: "malformed_key" });
});

test("key sets and what their issuers may assert are judged without node:crypto, too", async () => {
  const [issuer, stranger] = [await native.generateHolder(), await native.generateHolder()];
  const iss = "https://issuer.test";
  const claims = {
    issuer: iss,
    holder: issuer.jwk,
    principal: "p",
    task: "t",
    tools: {},
    expiresIn: "1h",
  } as const;
  const keys = [{ kty: "OKP", crv: "Ed25519", x: "A".repeat(43) }, { kty: "EC" }, issuer.jwk];
  const fetch = async (): Promise<Response> => Response.json({ keys });
  const issuers = [{ iss, jwks: "https://issuer.test/keys", fetch, tenants: ["acme"] }];
  const acme = await portable.issueDelegation({ ...claims, tenant: "acme" }, issuer);
  expect(await portable.verifyDelegation(acme, { issuers })).toMatchObject({ tenant: "acme" });
  for (const [tenant, signer, step] of [
    ["globex", issuer, "3k"],
    ["acme", stranger, "3b"],
  ] as const)
    await expect(
      portable.verifyDelegation(await portable.issueDelegation({ ...claims, tenant }, signer), { issuers }),
    ).rejects.toMatchObject({ code: "issuer_untrusted", step });
});
