import { type Json, fromBase64url, signCompact } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Delegation,
  DelegationError,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "./index.ts";

const issuer = await generateHolder();
const holders = [await generateHolder(), await generateHolder(), await generateHolder()] as const;
const [first, second, third] = holders;
const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
const tools = { read_file: { path: { constraint_type: "path", under: "/data" } } };
const root = await issueDelegation(
  {
    issuer: "https://issuer.test",
    holder: first.jwk,
    principal: "user-7",
    task: "t",
    tools,
    expiresIn: "1h",
    audience: "https://me.test",
  },
  issuer,
);
const middle = await deriveDelegation(root, { holder: second.jwk, tools }, first);
const leaf = await deriveDelegation(middle, { holder: third.jwk, tools }, second);
const options = { issuers, audience: "https://me.test" };

function payloadOf(token: string): string {
  return new TextDecoder().decode(fromBase64url(token.split(".")[1]!));
}
function claimsOf(token: string): { [name: string]: Json } {
  return JSON.parse(payloadOf(token)) as { [name: string]: Json };
}
/** `delegation` with claims of its last token changed, signed again by whoever signed it. */
async function resigned(delegation: Delegation, change: object, signer = first): Promise<Delegation> {
  const { chain } = delegation;
  return {
    chain: [
      ...chain.slice(0, -1),
      await signCompact({ typ: "aat+jwt" }, { ...claimsOf(chain.at(-1)!), ...change }, signer),
    ],
  };
}
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "accepted",
    (error: unknown) => error,
  );

test("every prefix of a chain is a chain, in every form that a chain has", async () => {
  for (const [index, delegation] of [root, middle, leaf].entries()) {
    for (const form of [
      delegation,
      delegation.chain,
      JSON.stringify(delegation),
      ` ${JSON.stringify(delegation.chain, null, 2)}\n`,
    ])
      expect((await verifyDelegation(form, options)).hops).toBe(index + 1);
  }
  expect((await verifyDelegation(`${root.chain[0]!}\n`, options)).hops).toBe(1);
});

test("the principal is the root's: a child may repeat it, never change or add it", async () => {
  await expect(verifyDelegation(await resigned(middle, { sub: "user-7" }), options)).resolves.toHaveProperty(
    "principal",
    "user-7",
  );
  for (const sub of ["user-8", "USER-7", "user-7 "])
    await expect(verifyDelegation(await resigned(middle, { sub }), options)).rejects.toMatchObject({
      code: "principal_changed",
      hop: 1,
    });
  for (const sub of ["", 7, null, ["user-7"]])
    await expect(verifyDelegation(await resigned(middle, { sub }), options)).rejects.toMatchObject({
      code: "malformed_delegation",
      hop: 1,
    });

  const anonymous = await resigned(root, { sub: "user-7" }, issuer);
  const { sub: _, ...claims } = claimsOf(anonymous.chain[0]!);
  const plain = { chain: [await signCompact({ typ: "aat+jwt" }, claims, issuer)] };
  await expect(verifyDelegation(plain, options)).resolves.toMatchObject({
    principal: "https://issuer.test",
    leaf: { sub: undefined },
  });
  const child = await deriveDelegation(plain, { holder: second.jwk, tools }, first);
  await expect(verifyDelegation(await resigned(child, { sub: "user-7" }), options)).rejects.toMatchObject({
    code: "principal_changed",
  });
});

test("task and agent of another type are as good as absent", async () => {
  const verified = await verifyDelegation(await resigned(middle, { task: { text: "t" }, agent: 7 }), options);
  expect([verified.leaf.task, verified.leaf.agent]).toEqual([undefined, undefined]);
});

test("aud anywhere in the chain must name the verifier; without a name of its own it is refused", async () => {
  for (const audience of [undefined, "https://me.test/", "https://ME.test"])
    expect(
      await failure(verifyDelegation(leaf, { issuers, ...(audience !== undefined && { audience }) })),
    ).toMatchObject({ code: "audience_refused", step: "6c", hop: 0 });
  const open = await issueDelegation(
    { issuer: "https://issuer.test", holder: first.jwk, principal: "p", task: "t", tools, expiresIn: 60 },
    issuer,
  );
  await expect(verifyDelegation(open, { issuers })).resolves.toHaveProperty("hops", 1);
  await expect(verifyDelegation(open, { ...options, requireChainAudience: true })).rejects.toMatchObject({
    step: "6c",
  });
});

test("a chain without trusted issuers, or with none named at all, is refused", async () => {
  await expect(verifyDelegation(leaf, { ...options, issuers: [] })).rejects.toMatchObject({
    code: "issuer_untrusted",
    step: "3b",
  });
  for (const issuersGiven of [undefined, "unjudged"])
    await expect(
      verifyDelegation(leaf, { ...options, issuers: issuersGiven as never }),
    ).rejects.toMatchObject({ code: "malformed_request" });
  const other = [{ iss: "https://other.test", jwk: issuer.jwk }];
  await expect(verifyDelegation(leaf, { ...options, issuers: other })).rejects.toMatchObject({
    code: "issuer_untrusted",
    step: "3k",
  });
  await expect(
    verifyDelegation(leaf, { ...options, issuers: [...other, ...issuers] }),
  ).resolves.toHaveProperty("issuerKey", issuer.thumbprint);
  const small = [
    { iss: "https://issuer.test", jwk: { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) } as const },
  ];
  await expect(verifyDelegation(leaf, { ...options, issuers: small })).rejects.toMatchObject({
    code: "malformed_request",
  });
});

test("an issuer's key that is exchanged in place is looked at again", async () => {
  const jwk = { ...issuer.jwk };
  const exchanged = { ...options, issuers: [{ iss: "https://issuer.test", jwk }] };
  await expect(verifyDelegation(leaf, exchanged)).resolves.toHaveProperty("hops", 3);
  Object.assign(jwk, third.jwk);
  await expect(verifyDelegation(leaf, exchanged)).rejects.toMatchObject({
    code: "issuer_untrusted",
    step: "3b",
  });
});

test("limits and clocks that are no numbers deny", async () => {
  const nowhere = { ...options, now: Number.NaN };
  await expect(verifyDelegation(leaf, nowhere)).rejects.toBeInstanceOf(DelegationError);
  for (const name of [
    "maxTokenSize",
    "maxChainSize",
    "maxIatSkew",
    "maxTokenLifetime",
    "maxDelegationDepth",
    "maxConstraintDepth",
    "maxTools",
    "maxConstraints",
  ])
    for (const value of [Number.NaN, undefined])
      expect([
        name,
        await failure(verifyDelegation(leaf, { ...options, limits: { [name]: value } })),
      ]).toEqual([name, expect.any(DelegationError)]);
});

test("constraints beyond the limit are refused before two of them are compared", async () => {
  const clause = { constraint_type: "wildcard" };
  const many = (count: number): object => ({
    t: { a: { constraint_type: "any", constraints: Array.from({ length: count - 1 }, () => clause) } },
  });
  const grant = (count: number): object => ({
    authorization_details: [{ type: "attenuating_agent_token", tools: many(count) }],
  });
  await expect(verifyDelegation(await resigned(root, grant(256), issuer), options)).resolves.toHaveProperty(
    "hops",
    1,
  );
  await expect(verifyDelegation(await resigned(root, grant(257), issuer), options)).rejects.toMatchObject({
    code: "malformed_grant",
    step: "3n",
  });
});

test("an oddly written number is never taken for an object: tools as 1.0 do not mean any arguments", async () => {
  const text = payloadOf(root.chain[0]!);
  for (const odd of [
    text.replace(/"tools":\{.*?\}\}\}/, '"tools":1.0'),
    text.replace(/"read_file":\{.*?\}\}/, '"read_file":1.0'),
    text.replace(/"path":\{.*?\}/, '"path":1.0'),
  ]) {
    expect(odd).not.toBe(text);
    const token = await signCompact({ typ: "aat+jwt" }, odd, issuer);
    expect(await failure(verifyDelegation([token], options))).toMatchObject({
      step: expect.stringMatching(/^3[mn]$/) as string,
    });
  }
});

test("a chain whose text was damaged anywhere yields one clear error, or nothing changed", async () => {
  const token = fc.nat({ max: 2 });
  const damage = fc.tuple(token, fc.nat(), fc.constantFrom("", "A", ".", "=", "é", "\u0000", "__"));
  await fc.assert(
    fc.asyncProperty(damage, async ([index, position, insert]) => {
      const chain = [...leaf.chain];
      const text = chain[index]!;
      const at = position % text.length;
      chain[index] = text.slice(0, at) + insert + text.slice(at + 1);
      if (chain[index] === text) return;
      const error = await failure(verifyDelegation(chain, options));
      expect(error).toBeInstanceOf(DelegationError);
      expect((error as DelegationError).message).not.toMatch(/user-7|eyJ|\/data/);
    }),
    { numRuns: 500 },
  );
});

test("whatever is not a chain is refused as one", async () => {
  for (const junk of [
    "",
    "{",
    "[]",
    "{}",
    '{"chain":[1]}',
    '{"chain":{}}',
    '{"chain":[],"chain":[]}',
    "a.b",
    "a.b.c.d",
    "..",
    null,
    7,
    { chain: "x" },
    [[]],
    "[".repeat(1e5),
    " ".repeat(600_000),
  ])
    expect([junk, await failure(verifyDelegation(junk as never, options))]).toEqual([
      junk,
      expect.objectContaining({ code: "malformed_delegation" }),
    ]);
});
