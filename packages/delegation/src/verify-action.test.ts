import { expect, test } from "vitest";
import {
  type ActionOptions,
  type Arguments,
  type PresentedAction,
  deriveDelegation,
  generateHolder,
  is,
  issueDelegation,
  proveAction,
  verifyAction,
} from "./index.ts";

const issuer = await generateHolder();
const [agent, helper] = [await generateHolder(), await generateHolder()];
const tools = { pay: { amount: is.atMost(50).constraint, to: is.any.constraint } };
const claims = {
  issuer: "https://issuer.test",
  holder: agent.jwk,
  principal: "p",
  task: "t",
  tools,
  expiresIn: "1h",
} as const;
const root = await issueDelegation(claims, issuer);
const child = await deriveDelegation(root, { holder: helper.jwk, tools }, agent);
const args = { amount: 20, to: "acct-1" };
const options: ActionOptions = {
  issuers: [{ iss: "https://issuer.test", jwk: issuer.jwk }],
  audience: "https://bank.test",
};

const present = (proof: string, change: Partial<PresentedAction> = {}): PresentedAction => ({
  chain: child,
  proof,
  tool: "pay",
  args,
  ...change,
});
const prove = (change: object = {}): Promise<string> =>
  proveAction({ delegation: child, tool: "pay", args, ...change }, helper);

test("a proven call is permitted, and its arguments come back frozen and separate from the caller's", async () => {
  const given = { ...args };
  const verified = await verifyAction(present(await prove(), { args: given }), options);
  given.amount = 5000;
  expect(verified).toMatchObject({
    principal: "p",
    hops: 2,
    args,
    proof: { jti: expect.any(String) as string },
  });
  expect(Object.isFrozen(verified.args)).toBe(true);
});

test("a proof is good for one call only: tool, arguments, delegation, key", async () => {
  const proof = await prove();
  await expect(
    verifyAction(present(proof, { args: { ...args, to: "acct-2" } }), options),
  ).rejects.toMatchObject({ step: "7f" });
  await expect(verifyAction(present(proof, { tool: "transfer" }), options)).rejects.toMatchObject({
    step: "7e",
  });
  await expect(
    verifyAction(present(await prove({ tool: "transfer" }), { tool: "transfer" }), options),
  ).rejects.toMatchObject({ code: "tool_not_granted", step: "6b" });
  await expect(verifyAction(present(proof, { chain: root }), options)).rejects.toMatchObject({
    code: "signature_invalid",
    step: "7b",
  });
  const sibling = await deriveDelegation(root, { holder: helper.jwk, tools }, agent);
  await expect(verifyAction(present(proof, { chain: sibling }), options)).rejects.toMatchObject({
    step: "7c",
  });
  await expect(proveAction({ delegation: child, tool: "pay", args }, agent)).rejects.toMatchObject({
    code: "holder_mismatch",
  });
});

test("arguments beyond the grant are refused whatever the proof says", async () => {
  const calls: readonly Arguments[] = [
    { amount: 51, to: "x" },
    { amount: 20 },
    { amount: 20, to: "x", cc: "y" },
    { amount: "20", to: "x" },
  ];
  for (const wrong of calls)
    await expect(
      verifyAction(present(await prove({ args: wrong }), { args: wrong }), options),
    ).rejects.toMatchObject({ code: "argument_not_granted" });
});

test("arguments as text are judged by their digits", async () => {
  const text = '{"amount":2e1,"to":100000000000000000000000}';
  await expect(
    verifyAction(present(await prove({ args: text }), { args: text }), options),
  ).resolves.toHaveProperty("args", { amount: 20, to: 1e23 });
  for (const bad of [
    '{"amount":1,"to":9007199254740993}',
    '{"amount":1,"to":1,"to":1}',
    "[1]",
    "1.0",
    "",
    '{"amount":1,"to":"\\ud800"}',
  ]) {
    await expect(prove({ args: bad })).rejects.toMatchObject({ code: "malformed_arguments" });
    await expect(verifyAction(present(await prove(), { args: bad }), options)).rejects.toMatchObject({
      code: "malformed_arguments",
      step: "6b",
    });
  }
  await expect(prove({ args: { amount: 1n, to: 1 } as never })).rejects.toMatchObject({
    code: "malformed_arguments",
  });
});

test("a proof is accepted once, also when it arrives twice at the same time", async () => {
  const presented = present(await prove());
  const replay = new Set<string>();
  const results = await Promise.allSettled(
    [1, 2, 3].map(() => verifyAction(presented, { ...options, replay })),
  );
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
  await expect(verifyAction(presented, { ...options, replay })).rejects.toMatchObject({
    code: "proof_replayed",
    step: "7i",
  });
});

test("a shared store that adds atomically decides between two that both saw nothing", async () => {
  const seen = new Set<string>();
  const replay = {
    has: async () => false,
    add: async (jti: string) => !seen.has(jti) && Boolean(seen.add(jti)),
  };
  const presented = present(await prove());
  const results = await Promise.allSettled([1, 2].map(() => verifyAction(presented, { ...options, replay })));
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
});

test("an answer other than true, or than the set itself, means that the id was there", async () => {
  for (const answer of [null, 0, 1, false, undefined, "OK", [], new Set(["x"]), Promise.resolve(null)]) {
    const replay = { has: () => false, add: () => answer };
    await expect(verifyAction(present(await prove()), { ...options, replay })).rejects.toMatchObject({
      code: "proof_replayed",
      step: "7i",
    });
  }
  for (const replay of [new Set<string>(), { has: () => false, add: async () => true }])
    await expect(verifyAction(present(await prove()), { ...options, replay })).resolves.toBeDefined();
});

test("arguments longer than any proof are not looked at", async () => {
  const proof = await prove();
  const long = { ...args, to: "x".repeat(300_000) };
  const far = " ".repeat(300_000);
  for (const given of [long, JSON.stringify(long), `${far}${JSON.stringify(args)}`, `[${far}`])
    await expect(verifyAction(present(proof, { args: given }), options)).rejects.toMatchObject({
      code: "malformed_arguments",
      step: "6b",
      message: "args: longer than 262144, which no proof is",
    });
  await expect(prove({ args: long })).rejects.toMatchObject({ code: "malformed_arguments" });
  const limits = { maxChainSize: 10 * JSON.stringify(child).length };
  const most = { ...args, to: "x".repeat(limits.maxChainSize) };
  await expect(verifyAction(present(proof, { args: most }), { ...options, limits })).rejects.toMatchObject({
    code: "malformed_arguments",
  });
});

test("a status is looked up, and a nonce asked for, only when everything else holds", async () => {
  const listed = await issueDelegation(
    { ...claims, status: { uri: "https://status.test/1", idx: 3 } },
    issuer,
  );
  const asked: string[] = [];
  const asking: ActionOptions = {
    ...options,
    status: () => Boolean(asked.push("status")),
    nonce: (nonce) => Boolean(asked.push("nonce")) && nonce === "n",
  };
  const call = async (claimed: object, given: object = {}): Promise<unknown> => {
    const proof = await proveAction({ delegation: listed, tool: "pay", args, nonce: "n", ...claimed }, agent);
    return verifyAction({ chain: listed, proof, tool: "pay", args, ...given }, asking);
  };
  const much = { ...args, amount: 51 };
  for (const [step, claimed, given] of [
    ["7d", { audience: "https://shop.test" }, {}],
    ["7e", { tool: "other" }, {}],
    ["7f", {}, { args: { ...args, amount: 1 } }],
    ["7g", { now: 1 }, {}],
    ["6b", { args: much }, { args: much }],
  ] as const)
    await expect(call(claimed, given)).rejects.toMatchObject({ step });
  expect(asked).toEqual([]);
  await expect(call({ nonce: "m" })).rejects.toMatchObject({ step: "7h" });
  expect(asked).toEqual(["nonce"]);
  await call({});
  expect(asked).toEqual(["nonce", "nonce", "status"]);
});

test("a refused call does not spend its proof, and a store that fails denies", async () => {
  const presented = present(await prove({ nonce: "n-1" }));
  const replay = new Set<string>();
  await expect(verifyAction(presented, { ...options, replay, nonce: "n-2" })).rejects.toMatchObject({
    step: "7h",
  });
  expect(replay.size).toBe(0);
  const broken = { has: () => Promise.reject(new Error("down")), add: () => undefined };
  await expect(verifyAction(presented, { ...options, replay: broken })).rejects.toThrow("down");
  await expect(
    verifyAction(presented, { ...options, replay: { has: () => undefined as never, add: () => undefined } }),
  ).rejects.toMatchObject({ step: "7i" });
});

test("nonce and audience: what is demanded must be there, what is there must be right", async () => {
  const plain = present(await prove());
  const bound = present(await prove({ nonce: "n-1", audience: "https://bank.test" }));
  await expect(
    verifyAction(bound, { ...options, nonce: "n-1", requireProofAudience: true }),
  ).resolves.toBeDefined();
  await expect(
    verifyAction(bound, { ...options, nonce: async (nonce) => nonce === "n-1" }),
  ).resolves.toBeDefined();
  await expect(verifyAction(bound, { ...options, nonce: () => "yes" as never })).rejects.toMatchObject({
    step: "7h",
  });
  await expect(verifyAction(plain, { ...options, nonce: "n-1" })).rejects.toMatchObject({ step: "7h" });
  await expect(verifyAction(plain, { ...options, requireNonce: true })).rejects.toMatchObject({ step: "7h" });
  await expect(verifyAction(bound, { ...options, requireNonce: true })).rejects.toMatchObject({ step: "7h" });
  await expect(verifyAction(plain, { ...options, requireProofAudience: true })).rejects.toMatchObject({
    step: "7d",
  });
  await expect(verifyAction(bound, { ...options, audience: "https://shop.test" })).rejects.toMatchObject({
    code: "audience_refused",
    step: "7d",
  });
});

test("a proof lives for seconds, either way", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const offset of [-30, 30]) {
    const presented = present(await prove({ now: now + offset }));
    await expect(verifyAction(presented, { ...options, now })).resolves.toBeDefined();
  }
  for (const offset of [-31, 31]) {
    const presented = present(await prove({ now: now + offset }));
    await expect(verifyAction(presented, { ...options, now })).rejects.toMatchObject({ step: "7g" });
  }
});

test("what is no proof is refused as one", async () => {
  for (const proof of ["", "a.b.c", child.chain[1]!, null, undefined, "x".repeat(300_000)])
    await expect(verifyAction(present(proof as string), options)).rejects.toMatchObject({ step: "7a" });
  for (const wrong of [
    { nonce: "" },
    { audience: "" },
    { tool: "" },
    { jti: "" },
    { now: 1.5 },
    { expiresIn: 5 },
  ])
    await expect(prove(wrong)).rejects.toMatchObject({ code: "malformed_request" });
});
