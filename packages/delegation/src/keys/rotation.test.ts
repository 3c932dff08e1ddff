// An issuer's key set on a real HTTPS server, over time. The clock is moved, never waited for.
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { localServer } from "../../test/https.ts";
import {
  type Anchor,
  type KeySetFetch,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "../index.ts";

const [old, next, holder] = [await generateHolder(), await generateHolder(), await generateHolder()];
const now = Math.floor(Date.now() / 1000);
const iss = "https://issuer.test";
const claims = { holder: holder.jwk, principal: "p", task: "t", tools: {}, expiresIn: "1d", now } as const;
const oldRoot = await issueDelegation({ ...claims, issuer: iss }, old);
const nextRoot = await issueDelegation({ ...claims, issuer: iss }, next);

/** What is published now; undefined: the server hangs up. */
let published: readonly object[] | undefined;
const server = await localServer((_, response) => {
  if (published === undefined) response.destroy();
  else
    response.setHeader("content-type", "application/jwk-set+json").end(JSON.stringify({ keys: published }));
});
afterAll(() => server[Symbol.asyncDispose]());

let path = "/0";
let anchor: Anchor;
beforeEach(() => {
  path = `/${Number(path.slice(1)) + 1}`;
  anchor = { iss, jwks: server.origin + path };
  vi.useFakeTimers({ now: now * 1000, toFake: ["Date"] });
});
afterEach(() => vi.useRealTimers());

const later = (seconds: number): unknown => vi.setSystemTime(Date.now() + seconds * 1000);
const asked = (): number => server.asked.filter((one) => one === path).length;
/** The thumbprint of the key that verified, or the code of the refusal. */
const verdict = (root: typeof oldRoot, issuers: readonly Anchor[] = [anchor]): Promise<unknown> =>
  verifyDelegation(root, { issuers, now }).then(
    ({ issuerKey }) => issuerKey,
    (error: unknown) => (error as { code: string }).code,
  );

test("while the old and the new key are both published, roots of both verify", async () => {
  published = [old.jwk, next.jwk];
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  expect(await verdict(nextRoot)).toBe(next.thumbprint);
  expect(asked()).toBe(1);
});

test("a withdrawn key verifies nothing once the kept set has run out, after ten minutes", async () => {
  published = [old.jwk, next.jwk];
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  published = [next.jwk];
  later(599);
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  later(2);
  expect(await verdict(oldRoot)).toBe("issuer_untrusted");
  expect(await verdict(nextRoot)).toBe(next.thumbprint);
  expect(asked()).toBe(2);
});

test("a new key is found within one cool-down, and takes the withdrawn one with it", async () => {
  published = [old.jwk];
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  published = [next.jwk];
  expect(await verdict(nextRoot)).toBe("issuer_untrusted");
  later(29);
  expect(await verdict(nextRoot)).toBe("issuer_untrusted");
  expect(asked()).toBe(1);
  later(2);
  expect(await verdict(nextRoot)).toBe(next.thumbprint);
  expect(await verdict(oldRoot)).toBe("issuer_untrusted");
  expect(asked()).toBe(2);
});

test("forged roots cause one request a cool-down, however many there are", async () => {
  published = [old.jwk];
  const forged = await Promise.all(
    Array.from({ length: 20 }, async () =>
      issueDelegation({ ...claims, issuer: iss }, await generateHolder()),
    ),
  );
  await Promise.all(forged.map((root) => verdict(root)));
  later(31);
  expect(new Set(await Promise.all(forged.map((root) => verdict(root))))).toEqual(
    new Set(["issuer_untrusted"]),
  );
  for (const root of forged) await verdict(root);
  expect(asked()).toBe(2);
});

test("a dead server is not noticed while the kept set is fresh, and refuses everything afterwards", async () => {
  published = [old.jwk];
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  published = undefined;
  later(599);
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  expect(await verdict(nextRoot)).toBe("issuer_unreachable");
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  later(2);
  expect(await verdict(oldRoot)).toBe("issuer_unreachable");
});

test("a dead server without a kept set refuses; it is left alone for a moment, then asked again", async () => {
  published = undefined;
  for (let i = 0; i < 5; i++) expect(await verdict(oldRoot)).toBe("issuer_unreachable");
  // undici tries a connection that hangs up once more at most.
  const before = asked();
  expect(before).toBeLessThanOrEqual(2);
  published = [old.jwk];
  expect(await verdict(oldRoot)).toBe("issuer_unreachable");
  expect(asked()).toBe(before);
  later(5);
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
});

test("a clock that was set back does not keep a withdrawn key alive", async () => {
  published = [old.jwk];
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  published = [next.jwk];
  later(-86_400);
  expect(await verdict(oldRoot)).toBe("issuer_untrusted");
  expect(await verdict(nextRoot)).toBe(next.thumbprint);
});

test("one of an issuer's key sets may be down while the other has the key", async () => {
  published = [old.jwk];
  const gone = await localServer(() => {});
  const dead = { iss, jwks: `${gone.origin}/keys` };
  await gone[Symbol.asyncDispose]();
  expect(await verdict(oldRoot, [dead, anchor])).toBe(old.thumbprint);
  expect(await verdict(nextRoot, [dead, anchor])).toBe("issuer_unreachable");
});

test("a pinned key needs no server", async () => {
  published = undefined;
  expect(await verdict(oldRoot, [anchor, { iss, jwk: old.jwk }])).toBe(old.thumbprint);
  expect(asked()).toBe(0);
});

test("the fetch may be given, for a proxy or pinned certificates; what it fetched stays its own", async () => {
  published = [old.jwk];
  const seen: string[] = [];
  const mine: KeySetFetch = (url, options) => {
    seen.push(`${options.method} ${url} ${options.redirect}`);
    return fetch(url, options);
  };
  for (let i = 0; i < 3; i++)
    expect(await verdict(oldRoot, [{ ...anchor, fetch: mine }])).toBe(old.thumbprint);
  expect(seen).toEqual([`GET ${server.origin}${path} manual`]);
  expect(await verdict(oldRoot)).toBe(old.thumbprint);
  expect(asked()).toBe(2);
  const liar: KeySetFetch = async () => Response.json({ keys: [next.jwk] });
  expect(await verdict(nextRoot, [{ ...anchor, fetch: liar }])).toBe(next.thumbprint);
  expect(await verdict(nextRoot)).toBe("issuer_untrusted");
});
