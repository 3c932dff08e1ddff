// Key sets that no honest server would publish, on a real HTTPS server: nothing of them may be believed or followed.
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";
import { type Json, type PublicJwk, generatePrivateJwk, signCompact } from "@behest/jws";
import { afterAll, expect, test } from "vitest";
import { localServer } from "../../test/https.ts";
import { type Delegation, type Holder, generateHolder, issueDelegation, verifyDelegation } from "../index.ts";

const [good, holder] = [await generateHolder(), await generateHolder()];
const iss = "https://issuer.test";
const claims = {
  issuer: iss,
  holder: holder.jwk,
  principal: "p",
  task: "t",
  tools: {},
  expiresIn: "1h",
} as const;
const root = await issueDelegation(claims, good);

/** The same root with a header that names `kid`. */
async function naming(kid: Json, signer: Holder = good): Promise<Delegation> {
  const payload = Buffer.from(root.chain[0]!.split(".")[1]!, "base64url").toString();
  return { chain: [await signCompact({ typ: "aat+jwt", kid }, payload, signer)] };
}

type Answer = (response: ServerResponse) => void;
const answers = new Map<string, Answer>();
const server = await localServer((path, response) => answers.get(path)!(response));
afterAll(() => server[Symbol.asyncDispose]());

let sequence = 0;
/** The verdict on `delegation` under the key set that `answer` gives: a thumbprint or a code. */
async function verdict(answer: Answer | readonly unknown[], delegation: Delegation = root): Promise<unknown> {
  const path = `/${sequence++}`;
  const keys = answer as readonly unknown[];
  answers.set(
    path,
    typeof answer === "function" ? answer : (response) => response.end(JSON.stringify({ keys })),
  );
  return verifyDelegation(delegation, { issuers: [{ iss, jwks: server.origin + path }] }).then(
    ({ issuerKey }) => issuerKey,
    (error: unknown) => (error as { code: string }).code,
  );
}
const decoys = async (count: number): Promise<PublicJwk[]> =>
  Promise.all(Array.from({ length: count }, async () => (await generateHolder()).jwk));

test("a key is used by its own rules, or not at all", async () => {
  const { jwk } = good;
  for (const fine of [
    { use: "sig" },
    { alg: "Ed25519" },
    { alg: "EdDSA" },
    { key_ops: ["verify"] },
    { x5c: ["?"], n: 7 },
  ])
    expect(await verdict([{ ...jwk, ...fine }])).toBe(good.thumbprint);
  for (const wrong of [
    { use: "enc" },
    { use: null },
    { use: ["sig"] },
    { alg: "ES256" },
    { alg: "none" },
    { alg: "HS256" },
    { alg: null },
    { alg: ["Ed25519"] },
    { crv: "X25519" },
    { crv: "Ed448" },
    { crv: "ed25519" },
    { kty: "EC" },
    { kty: "oct", k: jwk.x },
    { kty: "okp" },
    { key_ops: ["sign"] },
    { key_ops: [] },
    { key_ops: null },
    { key_ops: 7 },
    { key_ops: {} },
    { d: jwk.x },
    { d: "" },
    { k: jwk.x },
    { p: 1 },
    { x: jwk.x + "=" },
    { x: jwk.x + "A" },
    { x: jwk.x.slice(1) },
    { x: "" },
    { x: [jwk.x] },
    { x: undefined },
  ])
    expect([wrong, await verdict([{ ...jwk, ...wrong }])]).toEqual([wrong, "issuer_untrusted"]);
});

test("a private key that is published signs for nobody", async () => {
  const leaked = await generatePrivateJwk();
  expect(await verdict([leaked, { ...good.jwk, d: leaked.d }])).toBe("issuer_untrusted");
  expect(await verdict([leaked, good.jwk])).toBe(good.thumbprint);
});

test("under keys of small order, for which anybody can sign, nothing verifies", async () => {
  const small = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
  ];
  const [head, payload] = root.chain[0]!.split(".");
  // R = identity, S = 0: valid for every text under the identity as key.
  const signature = Buffer.concat([Buffer.of(1), Buffer.alloc(63)]).toString("base64url");
  const forged = { chain: [`${head}.${payload}.${signature}`] };
  for (const x of small)
    expect(await verdict([{ kty: "OKP", crv: "Ed25519", x }], forged)).toBe("issuer_untrusted");
});

test("of thousands of keys a token is tried against a few: the first, and those that its kid names", async () => {
  const others = await decoys(2000);
  expect(await verdict([good.jwk, ...others])).toBe(good.thumbprint);
  expect(await verdict([...others.slice(0, 15), good.jwk, ...others])).toBe(good.thumbprint);
  expect(await verdict([...others.slice(0, 16), good.jwk])).toBe("issuer_untrusted");
  const named = [...others, { ...good.jwk, kid: "k-7" }];
  expect(await verdict(named, await naming("k-7"))).toBe(good.thumbprint);
  expect(await verdict(named, await naming("k-8"))).toBe("issuer_untrusted");
  expect(
    await verdict(
      others.map((jwk) => ({ ...jwk, kid: "k-7" })).concat({ ...good.jwk, kid: "k-7" }),
      await naming("k-7"),
    ),
  ).toBe("issuer_untrusted");
});

test("keys that share a kid are all tried; a kid of any form only chooses", async () => {
  const [a, b] = await decoys(2);
  const set = [
    { ...a, kid: "k" },
    { ...b, kid: "k" },
    { ...good.jwk, kid: "k" },
    good.jwk,
    { ...good.jwk, kid: 7 },
  ];
  for (const kid of ["k", "other", "", 7, null, ["k"], { k: 1 }, "__proto__", "constructor"])
    expect([kid, await verdict(set, await naming(kid))]).toEqual([kid, good.thumbprint]);
  const stranger = await generateHolder();
  for (const kid of ["k", good.thumbprint, `${server.origin}/evil`, "../../dev/null", "' or 1=1 --"])
    expect(await verdict(set, await naming(kid, stranger))).toBe("issuer_untrusted");
});

test("an answer beyond a megabyte is not read to its end", async () => {
  const fill =
    (length: number): Answer =>
    (response) =>
      response.end(JSON.stringify({ keys: [good.jwk], x: "y".repeat(length) }));
  expect(await verdict(fill(1_000_000))).toBe(good.thumbprint);
  expect(await verdict(fill(1_100_000))).toBe("issuer_unreachable");
  let sent = 0;
  const endless: Answer = (response) => {
    const more = (): void => {
      while (!response.destroyed && sent < 1e9) {
        sent += 65_536;
        if (!response.write(" ".repeat(65_536))) return void response.once("drain", more);
      }
    };
    more();
  };
  expect(await verdict(endless)).toBe("issuer_unreachable");
  expect(sent).toBeLessThan(50e6);
  // Small on the wire, large behind it.
  const bomb = gzipSync(JSON.stringify({ keys: [good.jwk], x: "y".repeat(50_000_000) }));
  expect(bomb.length).toBeLessThan(100_000);
  expect(await verdict((response) => response.setHeader("content-encoding", "gzip").end(bomb))).toBe(
    "issuer_unreachable",
  );
});

test("a redirect is not followed, to http or anywhere", async () => {
  let reached = 0;
  const plain = createServer((_, response) => {
    reached++;
    response.end(JSON.stringify({ keys: [good.jwk] }));
  });
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  const { port } = plain.address() as AddressInfo;
  answers.set("/good", (response) => {
    reached++;
    response.end(JSON.stringify({ keys: [good.jwk] }));
  });
  for (const status of [301, 302, 303, 307, 308])
    for (const to of [`http://127.0.0.1:${port}/`, `${server.origin}/good`, "/good"])
      expect(await verdict((response) => response.writeHead(status, { location: to }).end())).toBe(
        "issuer_unreachable",
      );
  expect(reached).toBe(0);
  // Nor when the caller's own fetch has followed it.
  const issuers = [{ iss, jwks: `${server.origin}/moved`, fetch: () => fetch(`${server.origin}/moved`) }];
  answers.set("/moved", (response) => response.writeHead(302, { location: "/good" }).end());
  await expect(verifyDelegation(root, { issuers })).rejects.toMatchObject({ code: "issuer_unreachable" });
  plain.close();
});

test("whatever is no key set is as good as no answer", async () => {
  const nested = "[".repeat(500_000);
  const said = JSON.stringify({ keys: [good.jwk] });
  for (const text of [
    "",
    "null",
    "7",
    "{}",
    '{"keys":{}}',
    '{"keys":[null]}',
    '{"keys":["x"]}',
    "<html>",
    nested,
    `{"keys":[${nested}`,
    said.slice(0, -1),
    `${said}x`,
  ])
    expect([text.slice(0, 20), await verdict((response) => response.end(text))]).toEqual([
      text.slice(0, 20),
      "issuer_unreachable",
    ]);
  for (const status of [201, 204, 206, 400, 401, 404, 500, 503])
    expect([
      status,
      await verdict((response) => response.writeHead(status).end(status === 204 ? "" : said)),
    ]).toEqual([status, "issuer_unreachable"]);
  expect(await verdict([])).toBe("issuer_untrusted");
});

test("a server that says nothing, or very little at a time, is given up after five seconds", async () => {
  const started = performance.now();
  const dripping: Answer = (response) => {
    const timer = setInterval(() => response.write(" "), 200);
    response.once("close", () => clearInterval(timer));
  };
  expect(await Promise.all([verdict(() => {}), verdict(dripping)])).toEqual([
    "issuer_unreachable",
    "issuer_unreachable",
  ]);
  expect(performance.now() - started).toBeLessThan(60_000);
});

test("a server whose certificate nobody vouches for is not listened to", async () => {
  const trusted = getCACertificates("default");
  await using stranger = await localServer((_, response) =>
    response.end(JSON.stringify({ keys: [good.jwk] })),
  );
  setDefaultCACertificates(trusted);
  const issuers = [{ iss, jwks: `${stranger.origin}/keys` }];
  await expect(verifyDelegation(root, { issuers })).rejects.toMatchObject({ code: "issuer_unreachable" });
  expect(stranger.asked).toEqual([]);
});
