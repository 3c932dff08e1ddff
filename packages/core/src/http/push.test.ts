// Pushed signals over real sockets, signed with real keys of identity providers, and what comes of them.
import { afterEach, expect, test, vi } from "vitest";
import { localServer } from "../../../delegation/test/https.ts";
import { alice, receiving, rsa, verdict } from "../../test/http/receiving.ts";
import { CAEP, IDP, RISC, SSF, newKey, now, signal } from "../../test/http/transmitter.ts";
import { testBehest } from "../testing.ts";
import type { Transmitter } from "./index.ts";

afterEach(() => vi.restoreAllMocks());

test.each([
  [`${CAEP}session-revoked`, {}],
  [`${CAEP}session-revoked`, { initiating_entity: "policy", reason_admin: { en: "a person's name" } }],
  [`${CAEP}credential-change`, { credential_type: "password", change_type: "revoke" }],
  [`${CAEP}credential-change`, { credential_type: "password", change_type: "update" }],
  [`${CAEP}credential-change`, { credential_type: "fido2-roaming", change_type: "delete" }],
  [`${RISC}account-disabled`, { reason: "hijacking" }],
  [`${RISC}account-purged`, {}],
  [`${RISC}sessions-revoked`, {}],
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

test.each<[string, object]>([
  ["as first transmitters name it", { subject_type: "iss-sub", iss: IDP, sub: "alice" }],
  [
    "by what an ID token says",
    { subject_type: "id_token_claims", iss: IDP, sub: "alice", email: "a@example.com" },
  ],
  ["by its format", { format: "iss_sub", iss: IDP, sub: "alice" }],
])("a subject inside its event, %s, is cut", async (_, subject) => {
  await using to = await receiving();
  const events = { [`${RISC}account-disabled`]: { subject, reason: "hijacking" } };
  expect(await verdict(to, signal(rsa, { sub_id: undefined, events }))).toBe("202");
  expect(to.cuts.map(({ target }) => target)).toEqual([alice]);
});

test("events with a subject each cut each; what the token says of all stands above that", async () => {
  await using to = await receiving();
  const of = (sub: string) => ({ subject: { subject_type: "iss-sub", iss: IDP, sub } });
  const events = { [`${RISC}account-disabled`]: of("alice"), [`${RISC}account-purged`]: of("bob") };
  expect(await verdict(to, signal(rsa, { sub_id: undefined, events }))).toBe("202");
  expect(await verdict(to, signal(rsa, { events }))).toBe("202");
  expect(to.cuts.map(({ target }) => "principal" in target && target.principal)).toEqual([
    "alice",
    "bob",
    "alice",
    "alice",
  ]);
});

test("two tokens of one id, as a transmitter that counts anew sends them, both cut", async () => {
  await using to = await receiving();
  for (const sub of ["alice", "bob"])
    expect(await verdict(to, signal(rsa, { jti: "1", sub_id: { format: "iss_sub", iss: IDP, sub } }))).toBe(
      "202",
    );
  expect(to.cuts).toHaveLength(2);
});

test("a token so old that it concerns nobody any more is acknowledged: it would come for ever", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  await using behest = await testBehest();
  const { iss } = behest.issuer;
  await using to = await receiving({ speaksFor: [iss] }, { revoker: behest.revoker, submit: behest.revoke });
  const sub_id = { format: "iss_sub", iss, sub: "alice" };
  expect(await verdict(to, signal(rsa, { sub_id, iat: now() - 91 * 86_400 }))).toBe("202");
  expect(await behest.revocations()).toEqual([]);
  expect(String(warned.mock.calls)).toContain("so old");
  expect(String(warned.mock.calls)).not.toContain("alice");
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
