// Pushed signals over real sockets, signed with real keys of identity providers, and what they must not do.
import { type Cut, readCut } from "@behest/provenance";
import { generatePrivateJwk, publicKey, signCompact, signerOf, toBase64url } from "@behest/jws";
import { SignJWT } from "jose";
import { afterEach, expect, test, vi } from "vitest";
import { localServer } from "../../../delegation/test/https.ts";
import { type Served, serve } from "../../test/http/serve.ts";
import { CAEP, IDP, RECEIVER, RISC, SSF, newKey, now, signal } from "../../test/http/transmitter.ts";
import { testBehest } from "../testing.ts";
import { type SignalReceiverOptions, type Transmitter, signalReceiver } from "./index.ts";

const revoker = signerOf(await generatePrivateJwk());
const [rsa, other, ed] = [await newKey("RS256"), await newKey("RS256"), await newKey("Ed25519")];
const idp: Transmitter = { iss: IDP, audience: RECEIVER, speaksFor: [IDP], jwk: rsa.jwk };
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

type Receiving = Served & { readonly cuts: Cut[] };
async function receiving(
  transmitter: Partial<Transmitter> | readonly Transmitter[] = {},
  change: Partial<SignalReceiverOptions> = {},
): Promise<Receiving> {
  const cuts: Cut[] = [];
  const { push } = signalReceiver({
    transmitters: Array.isArray(transmitter) ? transmitter : [{ ...idp, ...transmitter } as Transmitter],
    revoker,
    submit: async ({ jws }) => void cuts.push(await readCut(jws, publicKey(revoker.jwk))),
    ...change,
  });
  return { ...(await serve(push)), cuts };
}
async function push(
  to: Served,
  token: string | Promise<string>,
  type = "application/secevent+jwt",
): Promise<Response> {
  return fetch(to.origin, { method: "POST", body: await token, headers: { "content-type": type } });
}
/** The status, and what a refusal names. */
async function verdict(to: Served, token: string | Promise<string>): Promise<string> {
  const response = await push(to, token);
  const text = await response.text();
  expect(text).not.toMatch(/alice|eyJ/);
  if (response.status === 202) return `202${text}`;
  const { err, description } = JSON.parse(text) as { err: string; description: string };
  expect(description).not.toBe("");
  return `${response.status} ${err}`;
}
const alice = { principal: "alice", issuer: IDP };

test.each([
  [`${CAEP}session-revoked`, {}],
  [`${CAEP}session-revoked`, { initiating_entity: "policy", reason_admin: { en: "a person's name" } }],
  [`${CAEP}credential-change`, { credential_type: "password", change_type: "revoke" }],
  [`${CAEP}credential-change`, { credential_type: "password", change_type: "update" }],
  [`${CAEP}credential-change`, { credential_type: "fido2-roaming", change_type: "delete" }],
  [`${RISC}account-disabled`, { reason: "hijacking" }],
  [`${RISC}account-purged`, {}],
])("%s %j cuts the person it is about", async (type, event) => {
  await using to = await receiving();
  expect(await verdict(to, signal(rsa, { events: { [type]: event } }))).toBe("202");
  expect(to.cuts).toMatchObject([
    { target: alice, reason: `${type.slice(type.lastIndexOf("/") + 1)}, by ${IDP}` },
  ]);
});

test("what a provider signals stops what acts for that person, in mid-task, and nobody else", async () => {
  await using behest = await testBehest();
  const { iss } = behest.issuer;
  const [one, two] = [await behest.as("alice", { read: {} }), await behest.as("bob", { read: {} })];
  await using to = await receiving({ speaksFor: [iss] }, { revoker: behest.revoker, submit: behest.revoke });
  const sub_id = { format: "iss_sub", iss, sub: "alice" };
  expect(await verdict(to, signal(rsa, { sub_id, events: { [`${RISC}account-disabled`]: {} } }))).toBe("202");
  expect([one.signal.aborted, two.signal.aborted]).toEqual([true, false]);
});

test.each(["RS256", "Ed25519", "EdDSA"])(
  "%s is verified, by a key that stands alone or in a set",
  async (alg) => {
    const key = await newKey(alg, "k1");
    await using keys = await localServer((_, response) =>
      response.end(JSON.stringify({ keys: [rsa.jwk, key.jwk] })),
    );
    for (const by of [{ jwk: key.jwk }, { jwk: undefined, jwks: `${keys.origin}/jwks` }]) {
      await using to = await receiving(by as Partial<Transmitter>);
      expect(await verdict(to, signal(key, {}, { alg, kid: "k1" }))).toBe("202");
      expect(to.cuts).toHaveLength(1);
    }
  },
);

test("other events, and a credential that was added, are acknowledged and change nothing", async () => {
  await using to = await receiving();
  for (const events of [
    { [`${CAEP}credential-change`]: { credential_type: "password", change_type: "create" } },
    { [`${CAEP}device-compliance-change`]: { current_status: "not-compliant" } },
    { [`${RISC}account-enabled`]: {} },
    { [`${SSF}stream-updated`]: { status: "paused" } },
    { "https://example.com/other": {} },
    { [`${CAEP}session-revoked/`]: {} },
  ])
    expect([events, await verdict(to, signal(rsa, { events }))]).toEqual([events, "202"]);
  expect(to.cuts).toEqual([]);
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
  await using to = await receiving([idp, hr]);
  const of = (iss: string) => ({ sub_id: { format: "iss_sub", iss, sub: "alice" } });
  expect(await verdict(to, signal(rsa, of(IDP)))).toBe("202");
  expect(await verdict(to, signal(other, { iss: hr.iss, ...of(hr.iss) }))).toBe("202");
  expect(await verdict(to, signal(rsa, { iss: hr.iss, ...of(hr.iss) }))).toBe("400 invalid_key");
  expect(await verdict(to, signal(rsa, of(hr.iss)))).toBe("400 access_denied");
  expect(to.cuts.map(({ target }) => target)).toEqual([alice, { principal: "alice", issuer: hr.iss }]);
});

test("a subject that means nobody here is acknowledged, and somebody is told", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using to = await receiving();
  for (const sub_id of [
    { format: "opaque", id: "session-7" },
    { format: "email", email: "alice@example.com" },
    { format: "complex", device: { format: "opaque", id: "d-1" } },
    { format: "jwt_id", iss: IDP, jti: "j" },
    { format: "iss_sub", iss: IDP, sub: "" },
  ])
    expect(await verdict(to, signal(rsa, { sub_id }))).toBe("202");
  expect(to.cuts).toEqual([]);
  expect(warned).toHaveBeenCalledTimes(5);
  expect(String(warned.mock.calls)).not.toMatch(/alice|session-7|d-1/);
});

test("a deployment says whom a subject means: an address, or a provider's person under another issuer", async () => {
  const issuer = "https://delegate.test";
  await using to = await receiving({
    speaksFor: [issuer],
    principal: async ({ format, email, iss, sub }) => {
      if (format === "email" && email === "alice@example.com") return { issuer, principal: "u-7" };
      return format === "iss_sub" && iss === IDP ? { issuer, principal: sub as string } : undefined;
    },
  });
  expect(await verdict(to, signal(rsa))).toBe("202");
  expect(await verdict(to, signal(rsa, { sub_id: { format: "email", email: "alice@example.com" } }))).toBe(
    "202",
  );
  expect(to.cuts.map(({ target }) => target)).toEqual([
    { principal: "alice", issuer },
    { principal: "u-7", issuer },
  ]);
});

test("a login on a device is cut as its user: delegations know neither", async () => {
  await using to = await receiving();
  const sub_id = {
    format: "complex",
    user: { format: "iss_sub", iss: IDP, sub: "alice" },
    session: { format: "opaque", id: "s" },
    tenant: { format: "opaque", id: "t" },
  };
  expect(await verdict(to, signal(rsa, { sub_id }))).toBe("202");
  expect(to.cuts.map(({ target }) => target)).toEqual([alice]);
});

test("a cut has the date of its event, never one ahead, nor one that would cut nothing", async () => {
  await using to = await receiving();
  const iat = now() - 30;
  for (const [event_timestamp, at] of [
    [iat - 100, iat - 100],
    [iat - 100.5, iat - 101],
    [iat, iat],
    [undefined, iat],
    [now() + 3600, iat],
    [iat * 1000, iat],
    [0, iat],
    [-1, iat],
    [iat - 90_000, iat],
    [String(iat - 100), iat],
    [null, iat],
  ] as const) {
    expect(
      await verdict(to, signal(rsa, { iat, events: { [`${CAEP}session-revoked`]: { event_timestamp } } })),
    ).toBe("202");
    expect([event_timestamp, to.cuts.at(-1)!.at]).toEqual([event_timestamp, at]);
  }
  // Its clock is ahead a little: the cut is not.
  await verdict(to, signal(rsa, { iat: now() + 50 }));
  expect(to.cuts.at(-1)!.at).toBeLessThanOrEqual(now());
});

test("a token that comes again, also at the same time, cuts once", async () => {
  await using to = await receiving();
  const token = await signal(rsa);
  expect(await Promise.all([1, 2, 3, 4].map(() => verdict(to, token)))).toEqual(["202", "202", "202", "202"]);
  expect(await verdict(to, token)).toBe("202");
  expect(to.cuts).toHaveLength(1);
  expect(await verdict(to, signal(rsa))).toBe("202");
  expect(to.cuts).toHaveLength(2);
});

test("an old token that a receiver has forgotten spares what was granted since", async () => {
  const clock = { now: Date.now() };
  await using behest = await testBehest({ clock: () => clock.now });
  const { iss } = behest.issuer;
  const token = await signal(rsa, { sub_id: { format: "iss_sub", iss, sub: "alice" } });
  const once = async (): Promise<void> => {
    await using to = await receiving(
      { speaksFor: [iss] },
      { revoker: behest.revoker, submit: behest.revoke },
    );
    expect(await verdict(to, token)).toBe("202");
  };
  await once();
  clock.now += 60_000;
  const fresh = await behest.as("alice", { read: {} });
  await once();
  expect(fresh.signal.aborted).toBe(false);
});

test("what could not be taken in is not acknowledged, and taken in when it comes again", async () => {
  vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  let down = true;
  let taken = 0;
  await using to = await receiving(
    {},
    { submit: async () => void (down ? await Promise.reject(new Error("down")) : taken++) },
  );
  const token = await signal(rsa);
  expect(await verdict(to, token)).toBe("503 unavailable");
  down = false;
  expect([await verdict(to, token), taken]).toEqual(["202", 1]);
});

test("a verification is acknowledged if it was asked for with that state, or unasked without one", async () => {
  const verification = (state?: unknown): Promise<string> =>
    signal(rsa, {
      sub_id: { format: "opaque", id: "stream-1" },
      events: { [`${SSF}verification`]: state === undefined ? {} : { state } },
    });
  await using plain = await receiving();
  expect(await verdict(plain, verification())).toBe("202");
  expect(await verdict(plain, verification("s-1"))).toBe("400 invalid_state");
  const states: unknown[] = [];
  await using asking = await receiving({
    verification: async (state) => (states.push(state), state === "s-1"),
  });
  expect(await verdict(asking, verification("s-1"))).toBe("202");
  for (const wrong of ["s-2", "", 7, null, undefined])
    expect(await verdict(asking, verification(wrong))).toBe("400 invalid_state");
  expect(states).toEqual(["s-1", "s-2", "", undefined]);
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
  for (let i = 0; i < 5; i++) expect(await verdict(to, fresh())).toBe("400 invalid_key");
  expect(keys.asked).toHaveLength(1);
  vi.setSystemTime(Date.now() + 31_000);
  expect(await verdict(to, fresh())).toBe("202");
  expect(keys.asked).toHaveLength(2);
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
])("a receiver with %s is not set up", (_, transmitters) => {
  expect(() =>
    signalReceiver({ transmitters: transmitters as readonly Transmitter[], revoker, submit: async () => {} }),
  ).toThrow(expect.objectContaining({ code: "config_invalid" }) as Error);
});
