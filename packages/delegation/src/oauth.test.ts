import { sha256, toBase64url } from "@behest/jws";
import {
  type GenerateKeyPairResult,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
  exportJWK,
  generateKeyPair,
} from "jose";
import { afterEach, expect, test, vi } from "vitest";
import { type AatTools, DelegationError, generateHolder, verifyDelegation } from "./index.ts";
import { type FromAccessToken, issueFromAccessToken } from "./oauth.ts";

// A stand-in for an authorization server: what one would sign, and its key set behind an https URL.
const AS = "https://as.test";
const NOW = 1_800_000_000;
const [issuer, holder, other] = [await generateHolder(), await generateHolder(), await generateHolder()];
const keys: { readonly [alg: string]: GenerateKeyPairResult } = Object.fromEntries(
  await Promise.all(
    ["RS256", "PS256", "ES256", "Ed25519", "EdDSA", "RS512"].map(
      async (alg) => [alg, await generateKeyPair(alg, { extractable: true })] as const,
    ),
  ),
);
const jwk = (await exportJWK(keys["ES256"]!.publicKey)) as { kty: string };
const consented: AatTools = {
  pay: { amount: { constraint_type: "range", max: 50 } },
  list: {},
};
const details = [
  { type: "payment_initiation", amount: "1.00" },
  { type: "attenuating_agent_token", tools: consented },
];
const honest = {
  iss: AS,
  aud: ["https://api.test", "https://delegate.test"],
  sub: "user-7",
  client_id: "mail-agent",
  jti: "at-1",
  iat: NOW - 10,
  exp: NOW + 600,
  scope: "openid",
  authorization_details: details,
};
const request: FromAccessToken = {
  authorizationServer: { iss: AS, jwk },
  audience: "https://delegate.test",
  holder: holder.jwk,
  issuer: "https://issuer.test",
  now: NOW,
};

function accessToken(over: object = {}, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
  return new SignJWT({ ...honest, ...over })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", ...header })
    .sign(keys[header.alg ?? "ES256"]!.privateKey, { crit: { x: true } });
}
const HEAD = '{"alg":"ES256","typ":"at+jwt"}';

/** Texts that no library would write, as the server's key signs them. */
async function signed(head: string, payload: string): Promise<string> {
  const input = [head, payload].map((part) => toBase64url(new TextEncoder().encode(part))).join(".");
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const bytes = new TextEncoder().encode(input);
  const signature = await crypto.subtle.sign(algorithm, keys["ES256"]!.privateKey, bytes);
  return `${input}.${toBase64url(new Uint8Array(signature))}`;
}

const open = async (token: string, over: Partial<FromAccessToken> = {}) =>
  verifyDelegation(await issueFromAccessToken(token, { ...request, ...over }, issuer), {
    issuers: [{ iss: request.issuer, jwk: issuer.jwk }],
    now: NOW,
  });
async function refused(token: string, code: string, over: object = {}): Promise<DelegationError> {
  const error: unknown = await issueFromAccessToken(token, { ...request, ...over }, issuer).then(
    () => expect.unreachable(),
    (e: unknown) => e,
  );
  if (!DelegationError.isInstance(error)) throw error;
  expect(error.code).toBe(code);
  // Not even one level down: a logger prints causes with all they hold.
  for (const text of [error.message, String(error.cause)]) expect(text).not.toMatch(/user-7|mail-agent|eyJ/);
  expect(JSON.stringify(error.cause ?? "")).not.toContain("user-7");
  return error;
}
afterEach(() => vi.unstubAllGlobals());

test("what a person consented to becomes a root that says so, without the token", async () => {
  const token = await accessToken();
  const { chain } = await issueFromAccessToken(token, request, issuer);
  const verified = await open(token);
  expect(verified).toMatchObject({
    principal: "user-7",
    issuer: "https://issuer.test",
    tools: { ...consented, list: { "*": { constraint_type: "wildcard" } } },
    leaf: {
      task: "oauth:at-1",
      agent: "mail-agent",
      exp: NOW + 600,
      holder: holder.thumbprint,
      consent: { rung: "oauth", evidence: toBase64url(sha256(token)) },
    },
  });
  const payload = Buffer.from(chain[0]!.split(".")[1]!, "base64url").toString();
  for (const part of token.split(".")) expect(payload).not.toContain(part);
});

test.each(["RS256", "PS256", "ES256", "Ed25519", "EdDSA"])(
  "servers sign with %s, under one key or a set",
  async (alg) => {
    const own = await exportJWK(keys[alg]!.publicKey);
    const token = await accessToken({}, { alg, kid: "k-1", typ: "application/at+jwt" });
    await open(token, { authorizationServer: { iss: AS, jwk: own as { kty: string } } });
    vi.stubGlobal("fetch", async () =>
      Response.json({
        keys: [
          { ...own, kid: "k-1" },
          { ...jwk, kid: "k-0" },
        ],
      }),
    );
    await open(token, { authorizationServer: { iss: AS, jwks: `https://as.test/${alg}` } });
  },
);

test("a key set that cannot be had is told apart from one without the token's key", async () => {
  const at = (path: string) => ({ authorizationServer: { iss: AS, jwks: `https://as.test/${path}` } });
  const token = await accessToken({}, { kid: "k-1" });
  vi.stubGlobal("fetch", async () => new Response("", { status: 500 }));
  await refused(token, "issuer_unreachable", at("down"));
  vi.stubGlobal("fetch", async () => Response.json({ keys: [{ ...jwk, kid: "k-2" }] }));
  await refused(token, "access_token_refused", at("other"));
  for (const jwks of ["http://as.test/keys", "keys", "file:///etc/passwd"])
    await refused(token, "malformed_request", { authorizationServer: { iss: AS, jwks } });
});

test("a key comes from the deployment alone, never from a header, and is never a shared secret", async () => {
  const [evil, evilJwk] = [keys["RS256"]!, await exportJWK(keys["RS256"]!.publicKey)];
  const brought = await new SignJWT(honest)
    .setProtectedHeader({ alg: "RS256", typ: "at+jwt", jwk: evilJwk, jku: "https://evil.test", kid: "k" })
    .sign(evil.privateKey);
  await refused(brought, "access_token_refused");
  const secret = new TextEncoder().encode(JSON.stringify(jwk));
  const mac = await new SignJWT(honest).setProtectedHeader({ alg: "HS256", typ: "at+jwt" }).sign(secret);
  await refused(mac, "access_token_refused");
  const oct = { kty: "oct", k: toBase64url(secret) };
  await refused(mac, "malformed_request", { authorizationServer: { iss: AS, jwk: oct } });
  const all = await exportJWK(keys["ES256"]!.privateKey);
  await refused(mac, "malformed_request", { authorizationServer: { iss: AS, jwk: all } });
  await refused(mac, "malformed_request", {
    authorizationServer: { iss: AS, jwk, jwks: "https://as.test/k" },
  });
  await refused(mac, "malformed_request", { authorizationServer: { iss: AS } });
  const rsa = (await exportJWK(keys["RS512"]!.publicKey)) as { kty: string };
  const unlisted = await accessToken({}, { alg: "RS512" });
  await refused(unlisted, "access_token_refused", { authorizationServer: { iss: AS, jwk: rsa } });
  const [, payload] = new UnsecuredJWT(honest).encode().split(".");
  const none = toBase64url(new TextEncoder().encode('{"alg":"none","typ":"at+jwt"}'));
  await refused(`${none}.${payload!}.`, "access_token_refused");
});

test.each<[string, Partial<JWTHeaderParameters>]>([
  ["an ID token or any other JWT", { typ: "JWT" }],
  ["one without a type", { typ: undefined as never }],
  ["a delegation of ours", { typ: "aat+jwt" }],
  ["another spelling", { typ: "AT+JWT" }],
  ["a critical header nobody understands", { crit: ["x"], x: 1 }],
])("only an access token counts: %s is refused", async (_name, header) => {
  await refused(await accessToken({}, header), "access_token_refused");
});

test.each<[string, object]>([
  ["another server", { iss: "https://evil.test" }],
  ["a server whose name only begins alike", { iss: `${AS}/` }],
  ["another resource", { aud: "https://delegate.test.evil" }],
  ["no resource", { aud: undefined }],
  ["no subject", { sub: undefined }],
  ["an empty subject", { sub: "" }],
  ["a subject that is a number", { sub: 7 }],
  ["no client", { client_id: undefined }],
  ["a client that is a list", { client_id: ["a"] }],
  ["no id", { jti: undefined }],
  ["no time of issue", { iat: undefined }],
  ["no end", { exp: undefined }],
  ["an end in half seconds", { exp: NOW + 0.5 }],
  ["one from the future", { iat: NOW + 31 }],
  ["one that is not yet valid", { nbf: NOW + 60 }],
  ["a client's own, that no person consented to", { sub: "mail-agent" }],
  ["no authorization_details", { authorization_details: undefined }],
  ["authorization_details that are no list", { authorization_details: details[1] }],
  ["one bound to a client certificate", { cnf: { "x5t#S256": "A".repeat(43) } }],
  ["one bound to a certificate and a key", { cnf: { jkt: holder.thumbprint, "x5t#S256": "A".repeat(43) } }],
  ["one bound to a key in another form", { cnf: { jwk: holder.jwk } }],
  ["one bound to nothing", { cnf: {} }],
  ["one bound to null", { cnf: null }],
])("an access token is refused: %s", async (_name, over) => {
  await refused(await accessToken(over), "access_token_refused");
});

test("an access token is worth nothing from its last second on", async () => {
  const token = await accessToken();
  await refused(token, "access_token_expired", { now: NOW + 600 });
  expect((await open(await accessToken({ exp: NOW + 1 }))).leaf.exp).toBe(NOW + 1);
});

test("a token with two claims or headers of one name is refused, whichever is meant", async () => {
  const payload = JSON.stringify(honest);
  await open(await signed(HEAD, payload));
  await refused(await signed(HEAD, payload.replace("{", '{"sub":"mallory",')), "access_token_refused");
  await refused(await signed(HEAD.replace("{", '{"typ":"JWT",'), payload), "access_token_refused");
});

test("a token that is bound to a key makes a root for that key only", async () => {
  const token = await accessToken({ cnf: { jkt: holder.thumbprint } });
  expect((await open(token)).leaf.holder).toBe(holder.thumbprint);
  await refused(token, "holder_mismatch", { holder: other.jwk });
});

test.each<[string, readonly object[]]>([
  ["no entry of our type", [details[0]!]],
  ["two entries of our type", [details[1]!, details[1]!]],
  ["an entry without tools", [{ type: "attenuating_agent_token" }]],
  ["tools that are a list", [{ type: "attenuating_agent_token", tools: ["pay"] }]],
  ["an unknown constraint", [{ ...details[1], tools: { pay: { to: { constraint_type: "regex" } } } }]],
  ["a restriction that nobody here enforces", [{ ...details[1], locations: ["https://else.test"] }]],
])("consent that is not clear is refused: %s", async (_name, list) => {
  await refused(await accessToken({ authorization_details: list }), "malformed_grant");
});

test("a number whose digits do not survive was not consented to", async () => {
  const written = (max: string) => signed(HEAD, JSON.stringify(honest).replace('"max":50', `"max":${max}`));
  await refused(await written("9007199254740993"), "malformed_grant");
  expect((await open(await written("5e1"))).tools["pay"]).toEqual(consented["pay"]);
});

test("less than what was consented to may be asked for, more may not", async () => {
  const token = await accessToken();
  const tools = { pay: { amount: { constraint_type: "range", max: 20 } } };
  const narrowed = await open(token, { tools, expiresIn: "5m", task: "pay the rent", maxDepth: 0 });
  expect(narrowed).toMatchObject({
    tools,
    leaf: { task: "pay the rent", exp: NOW + 300, maxDepth: 0 },
  });
  const wide = { pay: { amount: { constraint_type: "range", max: 51 } }, wipe: {} };
  const { wider } = await refused(token, "wider_than_parent", { tools: wide, expiresIn: 601 });
  expect(wider?.map(({ path }) => path).toSorted()).toEqual(["exp", "tools.pay.amount", "tools.wipe"]);
});

test("what would be dropped or cannot be signed is refused", async () => {
  const token = await accessToken();
  await refused(token, "malformed_request", { scope: "all" });
  await refused(token, "malformed_request", { holder: {} });
  await refused(token, "malformed_request", { audience: "" });
  await refused(token, "malformed_request", { authorizationServer: { jwk } });
  await refused(token, "malformed_request", { issuer: "issuer" });
  for (const bad of ["", "a.b", "a.b.c", `${token}.`, ` ${token}`, "x".repeat(70_000)])
    await refused(bad, "access_token_refused");
});
