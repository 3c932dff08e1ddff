import { beforeEach, expect, test } from "vitest";
import { type ChainCache, chainCache } from "./cache.ts";
import { deriveDelegation } from "./derive.ts";
import { generateHolder } from "./keys/holder.ts";
import { issueDelegation } from "./issue.ts";
import { proveAction } from "./prove.ts";
import { verifyAction } from "./verify-action.ts";
import { type VerifyOptions, verifyDelegation } from "./verify.ts";

const now = 1_800_000_000;
const [issuer, other, agent] = [await generateHolder(), await generateHolder(), await generateHolder()];
const root = await issueDelegation(
  {
    issuer: "https://issuer.test",
    holder: agent.jwk,
    principal: "u",
    tenant: "acme",
    task: "t",
    tools: { pay: {} },
    expiresIn: "1h",
    audience: "shop",
    status: { uri: "https://status.test/1", idx: 3 },
    now,
  },
  issuer,
);
const { chain } = await deriveDelegation(
  root,
  { holder: agent.jwk, tools: { pay: {} }, expiresIn: "10m", now },
  agent,
);

const anchor = { iss: "https://issuer.test", jwk: issuer.jwk };
let cache: ChainCache;
const verify = (more: Partial<VerifyOptions> = {}, tokens: readonly string[] = chain) =>
  verifyDelegation(tokens, { issuers: [anchor], audience: "shop", now, cache, ...more });
beforeEach(async () => {
  cache = chainCache();
  await verify();
});

test("a chain that was verified is known by all its bytes, and says the same again", async () => {
  expect(cache.size).toBe(1);
  expect(await verify()).toEqual(await verify({ cache: chainCache() }));
  expect(cache.size).toBe(1);
  await verify({}, [chain[0]!]);
  expect(cache.size).toBe(2);
});

test.each<[string, Partial<VerifyOptions>, object]>([
  ["it has expired since", { now: now + 601 }, { code: "delegation_expired", step: "4i" }],
  ["the clock was set back to before it", { now: now - 31 }, { code: "lifetime_refused" }],
  ["its issuer is no longer trusted", { issuers: [] }, { code: "issuer_untrusted" }],
  ["its issuer has another key", { issuers: [{ ...anchor, jwk: other.jwk }] }, { code: "issuer_untrusted" }],
  [
    "its key is another issuer's",
    { issuers: [{ ...anchor, iss: "https://b.test" }] },
    { code: "issuer_untrusted" },
  ],
  [
    "its issuer may not assert the tenant",
    { issuers: [{ ...anchor, tenants: ["b"] }] },
    { code: "issuer_untrusted" },
  ],
  [
    "its issuer may not assert the principal",
    { issuers: [{ ...anchor, subjects: ["b"] }] },
    { code: "issuer_untrusted" },
  ],
  ["it is for another audience", { audience: "bank" }, { code: "audience_refused" }],
  ["its status is not valid", { status: () => false }, { code: "revoked" }],
  ["the limits are tighter", { limits: { maxDelegationDepth: 0 } }, { step: "3i" }],
])("what was verified before is refused when %s", async (_, change, refusal) => {
  await expect(verify(change)).rejects.toMatchObject(refusal);
  await expect(verify()).resolves.toBeDefined();
});

test("no other bytes are taken for a chain that is known", async () => {
  const [first, second] = chain as [string, string];
  const flipped = second.slice(0, -2) + (second.at(-2) === "A" ? "B" : "A") + second.at(-1)!;
  for (const tokens of [
    [first, flipped],
    [first, second, second],
    [second],
    [`${first}\n${second}`],
    [`${first} `, second],
  ])
    await expect(verify({}, tokens)).rejects.toThrow();
  expect(cache.size).toBe(1);
});

test("the one not used for longest is dropped", async () => {
  cache = chainCache({ max: 2 });
  const chains = await Promise.all(
    [1, 2, 3].map(() => deriveDelegation(root, { holder: agent.jwk, tools: { pay: {} }, now }, agent)),
  );
  for (const one of chains) await verify({}, one.chain);
  expect(cache.size).toBe(2);
});

test("it holds no more bytes of tokens than it may", async () => {
  const bytes = chain.join("").length;
  cache = chainCache({ maxBytes: 2.5 * bytes });
  const chains = await Promise.all(
    [1, 2, 3].map(() => deriveDelegation(root, { holder: agent.jwk, tools: { pay: {} }, now }, agent)),
  );
  for (const one of [...chains, ...chains]) {
    await verify({}, one.chain);
    expect(cache.size).toBeLessThanOrEqual(2);
  }
  expect(cache.size).toBe(2);
  // What is known already is not counted again.
  for (let i = 0; i < 5; i++) await verify({}, chains[2]!.chain);
  expect(cache.size).toBe(2);
  cache = chainCache({ maxBytes: bytes - 1 });
  await verify({}, chains[0]!.chain);
  expect(cache.size).toBe(0);
});

test("a chain above 64 KB is verified, and not kept", async () => {
  const wide = { pay: { x: { constraint_type: "not_one_of", excluded: ["x".repeat(40_000)] } } };
  const one = await deriveDelegation(root, { holder: agent.jwk, tools: wide, now }, agent);
  const two = await deriveDelegation(one, { holder: agent.jwk, tools: wide, now }, agent);
  cache = chainCache();
  await verify({}, two.chain);
  expect(cache.size).toBe(0);
  await verify({}, one.chain);
  expect(cache.size).toBe(1);
});

test("who cannot prove a call takes no room", async () => {
  cache = chainCache();
  const options = { issuers: [anchor], audience: "shop", now, cache };
  const action = { chain, tool: "pay", args: {} };
  const proof = await proveAction({ delegation: chain, tool: "pay", args: {}, now }, agent);
  const byOther = await proveAction(
    {
      delegation: await deriveDelegation(root, { holder: other.jwk, tools: { pay: {} }, now }, agent),
      tool: "pay",
      args: {},
      now,
    },
    other,
  );
  for (const [bad, step] of [
    ["x", "7a"],
    [byOther, "7b"],
  ])
    await expect(verifyAction({ ...action, proof: bad! }, options)).rejects.toMatchObject({ step });
  expect(cache.size).toBe(0);
  await verifyAction({ ...action, proof }, options);
  expect(cache.size).toBe(1);
});
