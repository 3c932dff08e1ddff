import { type Json, type Signer, parseJson, signCompact, splitCompact, toBase64url } from "@behest/jws";
import { expect, test } from "vitest";
import {
  type Delegation,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  proveAction,
  verifyAction,
  verifyDelegation,
} from "../index.ts";
import {
  type Status,
  type StatusListClaims,
  freeIndex,
  statusChecker,
  statusList,
  statusReader,
} from "../status.ts";
import { deflate } from "./bits.ts";

const [issuer, other, holder, helper] = [
  await generateHolder(),
  await generateHolder(),
  await generateHolder(),
  await generateHolder(),
];
const NOW = 1_800_000_000;
const iss = "https://issuer.test";
const uri = "https://issuer.test/status/1";
const issuers = [{ iss, jwk: issuer.jwk }];
const alice = { issuer: iss, principal: "alice" };

const issue = (idx: number, more: object = {}): Promise<Delegation> =>
  issueDelegation(
    {
      issuer: iss,
      holder: holder.jwk,
      principal: "alice",
      task: "t",
      tools: { look: {} },
      expiresIn: "1h",
      now: NOW,
      status: { uri, idx },
      ...more,
    },
    issuer,
  );
const list = (revoked: StatusListClaims["revoked"], more: Partial<StatusListClaims> = {}): Promise<string> =>
  statusList({ uri, size: 16, revoked, now: NOW, ...more }, issuer);
/** A fetch that answers with this text, whatever is asked. */
const serving = (token: string | Promise<string>) => async () => new Response(await token);
const statusOf = (token: string | Promise<string>, idx = 3, at: string = uri): Promise<Status> =>
  statusReader({ issuers, fetch: serving(token), now: () => NOW })({ uri: at, idx }, alice);

/** The list with claims or header changed, signed again. */
async function changed(change: object, header: object = {}, signer: Signer = issuer): Promise<string> {
  const said = parseJson(splitCompact(await list([1])).payload) as { readonly [name: string]: Json };
  const payload = parseJson(JSON.stringify({ ...said, ...change })) as typeof said;
  return signCompact({ typ: "statuslist+jwt", ...header }, payload, signer);
}

test("a delegation holds until its index is marked, and so does what was derived from it", async () => {
  const root = await issue(3);
  const child = await deriveDelegation(root, { holder: helper.jwk, tools: { look: {} }, now: NOW }, holder);
  for (const [marked, holds] of [
    [[], true],
    [[2, 4], true],
    [[3], false],
    [Array.from({ length: 16 }, (_, i) => i), false],
  ] as const)
    for (const delegation of [root, child]) {
      const status = statusChecker({ issuers, fetch: serving(list(marked)), now: () => NOW });
      const verdict = verifyDelegation(delegation, { issuers, status, now: NOW });
      if (holds) await expect(verdict).resolves.toMatchObject({ principal: "alice" });
      else await expect(verdict).rejects.toMatchObject({ code: "revoked", step: "bhst" });
    }
});

test("an action is judged by the list only once its proof holds", async () => {
  const delegation = await issue(3);
  let asked = 0;
  const fetch = async (): Promise<Response> => (asked++, new Response(await list([3])));
  const status = statusChecker({ issuers, fetch, now: () => NOW });
  const call = { tool: "look", args: {} };
  const options = { issuers, status, now: NOW };
  const [own, foreign] = await Promise.all(
    [holder, helper].map((by) => proveAction({ delegation, ...call, now: NOW }, by).catch(() => "x.y.z")),
  );
  await expect(verifyAction({ chain: delegation, proof: foreign!, ...call }, options)).rejects.toThrow();
  expect(asked).toBe(0);
  await expect(verifyAction({ chain: delegation, proof: own!, ...call }, options)).rejects.toMatchObject({
    code: "revoked",
  });
});

test("a list is a JWT of the draft's shape: 5 minutes, 30 seconds, one bit a delegation", async () => {
  const { header, payload } = splitCompact(
    await list((index) => index % 8 === 0, { aggregation: "https://a.test/" }),
  );
  expect(header).toEqual({ alg: "Ed25519", typ: "statuslist+jwt" });
  expect(parseJson(payload)).toEqual({
    sub: uri,
    iat: NOW,
    exp: NOW + 300,
    ttl: 30,
    status_list: {
      bits: 1,
      lst: toBase64url(await deflate(new Uint8Array([1, 1]))),
      aggregation_uri: "https://a.test/",
    },
  });
});

test.each<[string, Parameters<typeof list>]>([
  ["an index beyond its end", [[16]]],
  ["an index before its begin", [[-1]]],
  ["half an index", [[1.5]]],
  ["a size between two bytes", [[], { size: 12 }]],
  ["no size", [[], { size: 0 }]],
  ["a size that readers refuse", [[], { size: 8_388_616 }]],
  ["a URI without TLS", [[], { uri: "http://issuer.test/status/1" }]],
  ["a URI with a fragment", [[], { uri: "https://issuer.test/#1" }]],
  ["no time to live", [[], { ttl: 0 }]],
  ["a member of another kind of list", [[], { bits: 2 } as object]],
])("a list with %s is not signed", async (_, [revoked, more]) => {
  await expect(list(revoked, more)).rejects.toMatchObject({ code: "malformed_request" });
});

test("1 says revoked; another value, an index out of bounds, and everything else not known is unknown", async () => {
  expect(await statusOf(list([]))).toBe("valid");
  expect(await statusOf(list([3]))).toBe("revoked");
  expect(await statusOf(list([]), 16)).toBe("unknown");
  expect(await statusOf(list([]), Number.MAX_SAFE_INTEGER)).toBe("unknown");
  const twoBits = toBase64url(await deflate(new Uint8Array([0b11_10_01_00])));
  const wide = changed({ status_list: { bits: 2, lst: twoBits } });
  expect(await Promise.all([0, 1, 2, 3, 4].map((idx) => statusOf(wide, idx)))).toEqual([
    "valid",
    "revoked",
    "unknown",
    "unknown",
    "unknown",
  ]);
});

const lst = toBase64url(await deflate(new Uint8Array(2)));
const bomb = toBase64url(await deflate(new Uint8Array(2 ** 24)));
test.each<[string, Promise<string>]>([
  ["by another key", changed({}, {}, other)],
  [
    "that says it is signed by nobody",
    changed({}).then((t) => `${toBase64url('{"alg":"none","typ":"statuslist+jwt"}')}.${t.split(".")[1]}.`),
  ],
  ["of another type", changed({}, { typ: "JWT" })],
  ["with a critical header", changed({}, { crit: ["x"], x: 1 })],
  ["for another URI", changed({ sub: `${uri}0` })],
  ["without a subject", changed({ sub: undefined })],
  ["that has expired", changed({ iat: NOW - 301, exp: NOW })],
  ["that never expires", changed({ exp: undefined })],
  ["of the future", changed({ iat: NOW + 31, exp: NOW + 300 })],
  ["whose dates are no dates", changed({ exp: String(NOW + 300) })],
  ["without a date", changed({ iat: undefined })],
  ["with a ttl that is none", changed({ ttl: -1 })],
  ["with bits that are none", changed({ status_list: { bits: 3, lst } })],
  ["without bits", changed({ status_list: { lst } })],
  ["without a list", changed({ status_list: undefined })],
  ["that is not packed", changed({ status_list: { bits: 1, lst: "AAAA" } })],
  ["that is a bomb", changed({ status_list: { bits: 1, lst: bomb } })],
  ["that is empty", changed({ status_list: { bits: 1, lst: toBase64url(await deflate(new Uint8Array())) } })],
  ["that is no token", Promise.resolve("<html>")],
])("a list %s says nothing", async (_, token) => {
  expect(await statusOf(token)).toBe("unknown");
});

test("one that repeats a claim says nothing", async () => {
  const { payload } = splitCompact(await list([3]));
  const twice = payload.replace("{", `{"exp":${NOW + 300},`);
  expect(await statusOf(signCompact({ typ: "statuslist+jwt" }, twice, issuer) as Promise<string>)).toBe(
    "unknown",
  );
});

test("a list is believed of the root's own issuer only, by keys that may assert its principal and tenant", async () => {
  const also = "https://other.test";
  const status = async (anchors: Parameters<typeof statusReader>[0]["issuers"], root: object, by: Signer) =>
    statusReader({
      issuers: anchors,
      fetch: serving(statusList({ uri, size: 16, revoked: [], now: NOW }, by)),
      now: () => NOW,
    })({ uri, idx: 0 }, { ...alice, ...root });
  const both = [...issuers, { iss: also, jwk: other.jwk }];
  expect(await status(both, {}, issuer)).toBe("valid");
  expect(await status(both, {}, other)).toBe("unknown");
  expect(await status(both, { issuer: also }, issuer)).toBe("unknown");
  expect(await status(both, { issuer: "https://nobody.test" }, issuer)).toBe("unknown");
  const tenants = [
    { iss, jwk: issuer.jwk, tenants: ["acme"] },
    { iss, jwk: other.jwk, tenants: ["globex"] },
  ];
  expect(await status(tenants, { tenant: "acme" }, issuer)).toBe("valid");
  expect(await status(tenants, { tenant: "acme" }, other)).toBe("unknown");
  expect(await status([{ iss, jwk: issuer.jwk, subjects: ["bob"] }], {}, issuer)).toBe("unknown");
  // Rotated: the root by the old key, the list by the new one.
  expect(await status([...issuers, { iss, jwk: other.jwk }], {}, other)).toBe("valid");
});

test("what one root may not be told, another of its issuer still is", async () => {
  const anchors = [
    { iss, jwk: issuer.jwk, tenants: ["acme"] },
    { iss, jwk: other.jwk, tenants: ["globex"] },
  ];
  const read = statusReader({ issuers: anchors, fetch: serving(list([])), now: () => NOW });
  expect(await read({ uri, idx: 0 }, { ...alice, tenant: "acme" })).toBe("valid");
  expect(await read({ uri, idx: 0 }, { ...alice, tenant: "globex" })).toBe("unknown");
  expect(await read({ uri, idx: 0 }, { ...alice, tenant: "acme" })).toBe("valid");
});

test("a free index is any that is free, and there is one as long as one is", () => {
  const taken = new Set<number>();
  for (let i = 0; i < 64; i++) {
    const index = freeIndex(64, (at) => taken.has(at));
    expect(taken.has(index)).toBe(false);
    taken.add(index);
  }
  expect(taken.size).toBe(64);
  expect(() => freeIndex(64, () => true)).toThrow(
    expect.objectContaining({ code: "malformed_request" }) as Error,
  );
  const first = new Set(Array.from({ length: 100 }, () => freeIndex(1024, () => false)));
  expect(first.size).toBeGreaterThan(50);
});

test("nothing of the list is decompressed before its signature holds", async () => {
  const seen: string[] = [];
  const { DecompressionStream: Real } = globalThis;
  globalThis.DecompressionStream = class extends Real {
    constructor(format: "deflate") {
      super(format);
      seen.push(format);
    }
  };
  try {
    await statusOf(changed({ status_list: { bits: 1, lst: bomb } }, {}, other));
    expect(seen).toEqual([]);
    await statusOf(list([]));
    expect(seen).toEqual(["deflate"]);
  } finally {
    globalThis.DecompressionStream = Real;
  }
});
