// What must not be taken in, over real sockets: other keys, other audiences, other people's principals, and no tokens.
import { signCompact, toBase64url } from "@behest/jws";
import { SignJWT } from "jose";
import { afterEach, expect, test, vi } from "vitest";
import { localServer } from "../../../delegation/test/https.ts";
import { alice, idp, push, receiving, revoker, rsa, verdict } from "../../test/http/receiving.ts";
import { CAEP, IDP, RECEIVER, newKey, now, signal } from "../../test/http/transmitter.ts";
import { type Transmitter, signalReceiver } from "./index.ts";

const [other, ed] = [await newKey("RS256"), await newKey("Ed25519")];
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const spki = Buffer.from(await crypto.subtle.exportKey("spki", rsa.pair.publicKey)).toString("base64");
const pem = `-----BEGIN PUBLIC KEY-----\n${spki.replace(/.{64}/g, "$&\n")}\n-----END PUBLIC KEY-----\n`;
const forged = (alg: string, key: Uint8Array): Promise<string> =>
  new SignJWT({
    iss: IDP,
    aud: RECEIVER,
    jti: "f",
    sub_id: { format: "iss_sub", iss: IDP, sub: "alice" },
    events: { [`${CAEP}session-revoked`]: {} },
  })
    .setIssuedAt()
    .setProtectedHeader({ alg, typ: "secevent+jwt" })
    .sign(key);
const unsigned = async (alg: string): Promise<string> => {
  const [, payload] = (await signal(rsa)).split(".");
  return `${toBase64url(JSON.stringify({ alg, typ: "secevent+jwt" }))}.${payload}.`;
};
const twice = async (): Promise<string> => {
  const text = `{"iss":"${IDP}","aud":"${RECEIVER}","iat":${now()},"jti":"t","jti":"u","events":{"a":{}}}`;
  return signCompact({ typ: "secevent+jwt" }, text, revoker);
};
const events = { [`${CAEP}session-revoked`]: {} };
test.each<[string, string, () => string | Promise<string>]>([
  ["another transmitter's key", "invalid_key", () => signal(other)],
  ["a key of another kind", "invalid_key", () => signal(ed, {}, { alg: "Ed25519" })],
  ["no signature", "invalid_key", () => unsigned("none")],
  ["an empty signature", "invalid_key", () => unsigned("RS256")],
  ["a MAC over the public key, as PEM", "invalid_key", () => forged("HS256", Buffer.from(pem))],
  [
    "a MAC over the public key, as JSON",
    "invalid_key",
    () => forged("HS256", Buffer.from(JSON.stringify(rsa.jwk))),
  ],
  ["a critical header", "invalid_key", () => signal(rsa, {}, { crit: ["x"], x: 1 } as object)],
  ["a key of its own in the header", "invalid_key", () => signal(other, {}, { jwk: other.jwk })],
  ["no type", "invalid_request", () => signal(rsa, {}, { typ: undefined } as object)],
  ["the type of an access token", "invalid_request", () => signal(rsa, {}, { typ: "at+jwt" })],
  ["an unknown issuer", "invalid_issuer", () => signal(rsa, { iss: "https://evil.test" })],
  ["no issuer", "invalid_issuer", () => signal(rsa, { iss: undefined })],
  ["an issuer that is a list", "invalid_issuer", () => signal(rsa, { iss: [IDP] })],
  ["somebody else's audience", "invalid_audience", () => signal(rsa, { aud: "https://other.test" })],
  ["no audience", "invalid_audience", () => signal(rsa, { aud: undefined })],
  ["a part of the audience", "invalid_audience", () => signal(rsa, { aud: RECEIVER.slice(0, -1) })],
  ["a date ahead", "invalid_request", () => signal(rsa, { iat: now() + 120 })],
  ["no date", "invalid_request", () => signal(rsa, { iat: undefined })],
  ["a date that is a text", "invalid_request", () => signal(rsa, { iat: String(now()) })],
  ["no id", "invalid_request", () => signal(rsa, { jti: undefined })],
  ["no events", "invalid_request", () => signal(rsa, { events: undefined })],
  ["an empty set of events", "invalid_request", () => signal(rsa, { events: {} })],
  ["events that are a list", "invalid_request", () => signal(rsa, { events: [events] })],
  [
    "an event that is no object",
    "invalid_request",
    () => signal(rsa, { events: { [`${CAEP}session-revoked`]: true } }),
  ],
  [
    "a change that is none",
    "invalid_request",
    () => signal(rsa, { events: { [`${CAEP}credential-change`]: {} } }),
  ],
  ["no subject", "invalid_request", () => signal(rsa, { sub_id: undefined })],
  ["a subject that is a text", "invalid_request", () => signal(rsa, { sub_id: "alice" })],
  ["a claim that stands twice", "invalid_request", twice],
  ["nothing", "invalid_request", () => ""],
  ["something else", "invalid_request", () => "<xml/>"],
  [
    "a person of an issuer that it does not speak for",
    "access_denied",
    () => signal(rsa, { sub_id: { format: "iss_sub", iss: "https://hr.test", sub: "alice" } }),
  ],
  [
    "such a person in a complex subject",
    "access_denied",
    () =>
      signal(rsa, {
        sub_id: { format: "complex", user: { format: "iss_sub", iss: "https://hr.test", sub: "alice" } },
      }),
  ],
])("a token with %s is refused as %s, and cuts nothing", async (_, err, token) => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using to = await receiving();
  expect(await verdict(to, token())).toBe(`400 ${err}`);
  expect(to.cuts).toEqual([]);
});

test("of two transmitters each speaks for its own, by its own key", async () => {
  const hr: Transmitter = {
    iss: "https://hr.test",
    audience: RECEIVER,
    speaksFor: ["https://hr.test"],
    jwk: other.jwk,
  };
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using to = await receiving({ transmitters: [idp, hr] });
  const of = (iss: string) => ({ sub_id: { format: "iss_sub", iss, sub: "alice" } });
  expect(await verdict(to, signal(rsa, of(IDP)))).toBe("202");
  expect(await verdict(to, signal(other, { iss: hr.iss, ...of(hr.iss) }))).toBe("202");
  expect(await verdict(to, signal(rsa, { iss: hr.iss, ...of(hr.iss) }))).toBe("400 invalid_key");
  expect(await verdict(to, signal(rsa, of(hr.iss)))).toBe("400 access_denied");
  expect(to.cuts.map(({ target }) => target)).toEqual([alice, { principal: "alice", issuer: hr.iss }]);
});

test("a request that is none is refused by its status", async () => {
  await using to = await receiving();
  expect((await push(to, signal(rsa), "application/jwt")).status).toBe(415);
  expect((await push(to, "x".repeat(70_000))).status).toBe(413);
  const got = await fetch(to.origin);
  expect([got.status, got.headers.get("allow")]).toEqual([405, "POST"]);
});

test("a provider rotates its keys; one that is down is asked again later, and its tokens are kept", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  let published = { keys: [{ ...rsa.jwk, kid: "old" }] };
  let up = true;
  await using keys = await localServer((_, response) =>
    up ? response.end(JSON.stringify(published)) : response.writeHead(500).end(),
  );
  const by = { jwk: undefined, jwks: `${keys.origin}/jwks` } as Partial<Transmitter>;
  await using to = await receiving(by);
  vi.useFakeTimers({ toFake: ["Date"] });
  const fresh = (): Promise<string> => signal(other, {}, { kid: "new" });
  expect(await verdict(to, signal(rsa, {}, { kid: "old" }))).toBe("202");
  published = {
    keys: [
      { ...rsa.jwk, kid: "old" },
      { ...other.jwk, kid: "new" },
    ],
  };
  // A key that nobody has published yet is asked for every thirty seconds at most, whoever sends how many.
  // Until then it is not refused, which would lose what it says.
  const early = await fresh();
  for (let i = 0; i < 5; i++) expect(await verdict(to, early)).toBe("503 unavailable");
  expect(keys.asked).toHaveLength(1);
  vi.setSystemTime(Date.now() + 31_000);
  expect(await verdict(to, early)).toBe("202");
  expect(keys.asked).toHaveLength(2);
  vi.setSystemTime(Date.now() + 31_000);
  expect(await verdict(to, signal(rsa, {}, { kid: "never" }))).toBe("400 invalid_key");
  published = { keys: [{ ...other.jwk, kid: "new" }] };
  vi.setSystemTime(Date.now() + 601_000);
  expect(await verdict(to, signal(rsa, {}, { kid: "old" }))).toBe("400 invalid_key");
  up = false;
  vi.setSystemTime(Date.now() + 601_000);
  const waiting = await fresh();
  expect(await verdict(to, waiting)).toBe("503 unavailable");
  const asked = keys.asked.length;
  for (let i = 0; i < 5; i++) expect(await verdict(to, waiting)).toBe("503 unavailable");
  expect(keys.asked).toHaveLength(asked);
});

test("a token that does not name its key is verified by those of the set that it could be, and no others", async () => {
  const third = await newKey("RS256");
  await using keys = await localServer((_, response) =>
    response.end(JSON.stringify({ keys: [other.jwk, ed.jwk, rsa.jwk] })),
  );
  await using to = await receiving({ jwk: undefined, jwks: `${keys.origin}/jwks` } as Partial<Transmitter>);
  for (const key of [rsa, other]) expect(await verdict(to, signal(key))).toBe("202");
  expect(await verdict(to, signal(third))).toBe("400 invalid_key");
  expect(await verdict(to, signal(rsa, { aud: "https://other.test" }))).toBe("400 invalid_audience");
  expect(to.cuts).toHaveLength(2);
});

test("a key set is not followed elsewhere, nor read without end", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using keys = await localServer((path, response) => {
    if (path === "/inside") response.end(JSON.stringify({ keys: [rsa.jwk] }));
    else if (path === "/moved") response.writeHead(302, { location: "/inside" }).end();
    else response.end(JSON.stringify({ keys: [rsa.jwk], more: "x".repeat(2_000_000) }));
  });
  for (const path of ["/moved", "/large"]) {
    await using to = await receiving({ jwk: undefined, jwks: keys.origin + path } as Partial<Transmitter>);
    expect(await verdict(to, signal(rsa))).toBe("503 unavailable");
  }
  expect(keys.asked).not.toContain("/inside");
});

test.each<[string, readonly object[]]>([
  ["no key", [{ ...idp, jwk: undefined }]],
  ["two ways to a key", [{ ...idp, jwks: "https://idp.test/jwks" }]],
  ["a key set without TLS", [{ ...idp, jwk: undefined, jwks: "http://idp.test/jwks" }]],
  ["a secret", [{ ...idp, jwk: { kty: "oct", k: "AAAA" } }]],
  ["one transmitter twice", [idp, idp]],
  ["no audience of its own", [{ ...idp, audience: undefined }]],
  ["an empty audience", [{ ...idp, audience: "" }]],
  ["no name of a transmitter", [{ ...idp, iss: undefined }]],
  ["a text in place of a list of issuers", [{ ...idp, speaksFor: IDP }]],
])("a receiver with %s is not set up", (_, transmitters) => {
  expect(() =>
    signalReceiver({ transmitters: transmitters as readonly Transmitter[], revoker, submit: async () => {} }),
  ).toThrow(expect.objectContaining({ code: "config_invalid" }) as Error);
});
