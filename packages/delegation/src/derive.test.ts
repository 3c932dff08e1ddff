import { generatePrivateJwk } from "@behest/jws";
import { beforeAll, expect, test } from "vitest";
import {
  type AatTools,
  type Constraint,
  type Delegation,
  type DeriveClaims,
  DelegationError,
  deriveDelegation,
  generateHolder,
  is,
  issueDelegation,
  verifyDelegation,
} from "./index.ts";

const issuer = await generateHolder();
const parent = await generateHolder();
const child = await generateHolder();
const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
const NOW = 1_800_000_000;
const tools: AatTools = {
  read_file: { path: is.under("/data").constraint },
  pay: {
    amount: is.all(is.atMost(100), is.not(13, 66)).constraint,
    currency: is.oneOf("EUR", "USD").constraint,
    memo: { ...is.any.constraint, optional: true },
  },
  send: { to: is.either(is.email("@a.test"), is.oneOf("x@b.test", "y@b.test")).constraint },
};
let root: Delegation;
beforeAll(async () => {
  root = await issueDelegation(
    {
      issuer: "https://issuer.test",
      holder: parent.jwk,
      principal: "user-7",
      task: "t",
      tools,
      expiresIn: "1h",
      now: NOW,
    },
    issuer,
  );
});
const derive = (change: Partial<DeriveClaims>): Promise<Delegation> =>
  deriveDelegation(root, { holder: child.jwk, tools, now: NOW + 10, ...change }, parent);
const verify = (delegation: Delegation) => verifyDelegation(delegation, { issuers, now: NOW + 10 });

test("an unnarrowed child holds until its parent ends, under the same principal", async () => {
  const verified = await verify(await derive({ task: "part one", agent: "reader", jti: "spawn-1" }));
  expect(verified).toMatchObject({ principal: "user-7", hops: 2, tools });
  expect(verified.leaf).toMatchObject({
    jti: "spawn-1",
    task: "part one",
    agent: "reader",
    sub: undefined,
    iat: NOW + 10,
    exp: NOW + 3600,
    depth: 1,
    maxDepth: 3,
    holder: child.thumbprint,
  });
});

test("in one process a child may be bound to its parent's key, and be handed on from there", async () => {
  let delegation = await derive({ holder: parent.jwk });
  delegation = await deriveDelegation(delegation, { holder: parent.jwk, tools, now: NOW + 20 }, parent);
  expect((await verifyDelegation(delegation, { issuers, now: NOW + 20 })).hops).toBe(3);
});

test.each<[string, Constraint, Constraint, Constraint]>([
  [
    "a range under all",
    tools["pay"]!["amount"]!,
    is.between(20, 50).constraint,
    {
      constraint_type: "all",
      constraints: [
        { constraint_type: "range", min: 20, max: 50 },
        { constraint_type: "not_one_of", excluded: [13, 66] },
      ],
    },
  ],
  [
    "a literal under all",
    tools["pay"]!["amount"]!,
    { constraint_type: "exact", value: 5 },
    {
      constraint_type: "all",
      constraints: [
        { constraint_type: "exact", value: 5 },
        { constraint_type: "not_one_of", excluded: [13, 66] },
      ],
    },
  ],
  [
    "a literal under any",
    tools["send"]!["to"]!,
    { constraint_type: "exact", value: "x@b.test" },
    { constraint_type: "any", constraints: [{ constraint_type: "exact", value: "x@b.test" }] },
  ],
  [
    "a list spread over the alternatives",
    tools["send"]!["to"]!,
    is.oneOf("x@b.test", "q@a.test").constraint,
    {
      constraint_type: "any",
      constraints: [
        { constraint_type: "one_of", values: ["x@b.test"] },
        { constraint_type: "one_of", values: ["q@a.test"] },
      ],
    },
  ],
  [
    "a list of one under a literal",
    { constraint_type: "exact", value: 1 },
    is.oneOf(1).constraint,
    { constraint_type: "exact", value: 1 },
  ],
  [
    "a list of one under a range",
    is.atMost(9).constraint,
    is.oneOf(3).constraint,
    { constraint_type: "exact", value: 3 },
  ],
  [
    "alternatives under a list",
    is.oneOf("a", "b", "c").constraint,
    is.either(is.oneOf("a"), is.oneOf("b")).constraint,
    { constraint_type: "one_of", values: ["a", "b"] },
  ],
  [
    "a wrapper of one",
    is.atMost(9).constraint,
    is.all(is.atMost(5)).constraint,
    { constraint_type: "range", max: 5 },
  ],
  [
    "anything under a wildcard",
    is.any.constraint,
    is.all(is.atMost(5), is.not(3)).constraint,
    is.all(is.atMost(5), is.not(3)).constraint,
  ],
])("writes what is narrower in the form that the table takes: %s", async (_, held, wanted, written) => {
  const claims = {
    issuer: "https://issuer.test",
    holder: parent.jwk,
    principal: "p",
    task: "t",
    tools: { t: { a: held } },
    expiresIn: "1h",
    now: NOW,
  } as const;
  const delegation = await deriveDelegation(
    await issueDelegation(claims, issuer),
    { holder: child.jwk, tools: { t: { a: wanted } }, now: NOW },
    parent,
  );
  expect((await verifyDelegation(delegation, { issuers, now: NOW })).tools["t"]!["a"]).toEqual(written);
});

test.each<[string, Partial<DeriveClaims>, object[]]>([
  [
    "another tool",
    { tools: { ...tools, shell: {} } },
    [{ path: "tools.shell", parent: "not granted", child: "granted" }],
  ],
  [
    "another folder",
    { tools: { read_file: { path: is.under("/").constraint } } },
    [{ path: "tools.read_file.path", parent: "path", child: "path" }],
  ],
  [
    "a neighbour folder",
    { tools: { read_file: { path: is.under("/data2").constraint } } },
    [{ path: "tools.read_file.path", parent: "path", child: "path" }],
  ],
  [
    "any value",
    { tools: { read_file: { path: is.any.constraint } } },
    [{ path: "tools.read_file.path", parent: "path", child: "wildcard" }],
  ],
  [
    "any arguments",
    { tools: { read_file: {} } },
    [
      { path: "tools.read_file.*", parent: "named arguments only", child: "any argument" },
      { path: "tools.read_file.path", parent: "required", child: "left out" },
    ],
  ],
  [
    "a new argument",
    { tools: { read_file: { ...tools["read_file"], mode: is.any.constraint } } },
    [{ path: "tools.read_file.mode", parent: "not named", child: "wildcard" }],
  ],
  [
    "an argument made optional",
    { tools: { read_file: { path: { ...tools["read_file"]!["path"]!, optional: true } } } },
    [{ path: "tools.read_file.path", parent: "required", child: "optional" }],
  ],
  [
    "a range that holds an excluded number",
    { tools: { pay: { ...tools["pay"], amount: is.atMost(50).constraint } } },
    [{ path: "tools.pay.amount", parent: "all", child: "range" }],
  ],
  [
    "one more currency",
    { tools: { pay: { ...tools["pay"], currency: is.oneOf("EUR", "GBP").constraint } } },
    [{ path: "tools.pay.currency", parent: "one_of", child: "one_of" }],
  ],
  [
    "a literal none of the alternatives admits",
    { tools: { send: { to: { constraint_type: "exact", value: "z@b.test" } } } },
    [{ path: "tools.send.to", parent: "any", child: "exact" }],
  ],
  ["a longer life", { expiresIn: "2h" }, [{ path: "exp", parent: "in 3590 s", child: "in 7200 s" }]],
  ["a deeper chain", { maxDepth: 4 }, [{ path: "maxDepth", parent: "3", child: "4" }]],
])("asking for more is refused with the place: %s", async (_, change, wider) => {
  const error: unknown = await derive(change).catch((e: unknown) => e);
  expect(DelegationError.isInstance(error) && error.code).toBe("wider_than_parent");
  const { wider: places, message } = error as DelegationError;
  expect(places).toEqual(wider);
  expect(message).toContain((wider[0] as { path: string }).path);
  expect(message).not.toMatch(/data2|z@b\.test|GBP/);
});

test.each<[string, Partial<DeriveClaims>, string]>([
  ["a private key as holder", { holder: await generatePrivateJwk() }, "malformed_request"],
  ["a depth above its own", { maxDepth: 0 }, "malformed_request"],
  ["an empty agent", { agent: "" }, "malformed_request"],
  ["an empty id", { jti: "" }, "malformed_request"],
  ["an expired parent", { now: NOW + 3600 }, "delegation_expired"],
  ["a parent from the future", { now: NOW - 31 }, "lifetime_refused"],
  ["a restriction that nobody would enforce", { geofence: "EU" } as object, "malformed_request"],
  ["an attempt to name the principal", { sub: "root" } as object, "malformed_request"],
])("refuses %s", async (_, change, code) => {
  await expect(derive(change)).rejects.toMatchObject({ code });
});

test("a child keeps to its parent's clock when the parent was issued a little ahead", async () => {
  const { leaf } = await verifyDelegation(await derive({ now: NOW - 20 }), { issuers, now: NOW - 20 });
  expect(leaf.iat).toBe(NOW);
});

test("a repeated id, another's key and a terminal parent are refused", async () => {
  const { leaf } = await verify(root);
  await expect(derive({ jti: leaf.jti })).rejects.toMatchObject({ code: "chain_broken", step: "2c" });
  await expect(deriveDelegation(root, { holder: child.jwk, tools, now: NOW }, child)).rejects.toMatchObject({
    code: "holder_mismatch",
  });
  const terminal = await derive({ maxDepth: 1 });
  await expect(
    deriveDelegation(terminal, { holder: child.jwk, tools, now: NOW + 20 }, child),
  ).rejects.toMatchObject({ code: "depth_exceeded" });
});

test("nothing is derived from a chain that verification would refuse", async () => {
  const forged = { chain: [root.chain[0]!, `${(await derive({})).chain[1]!.slice(0, -4)}AAAA`] };
  await expect(
    deriveDelegation(forged, { holder: child.jwk, tools, now: NOW + 10 }, child),
  ).rejects.toMatchObject({ code: "signature_invalid", step: "4b", hop: 1 });
});
