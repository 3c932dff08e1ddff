import { publicKey, signCompact, thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import { key } from "../test/deployment.ts";
import { type CutTarget, readCut, revokerOf, signCut } from "./index.ts";

const revoker = await key();
const publicPart = publicKey(revoker.jwk);
const targets: readonly CutTarget[] = [
  { principal: "alice" },
  { principal: "alice", issuer: "https://id.example" },
  { agent: "mailer" },
  { holder: thumbprint(revoker.jwk) },
  { delegation: "jti-1" },
  { delegation: "jti-1", issuer: "https://id.example" },
  { tenant: "acme" },
];

test("every target is read back as it was signed, as a session-revoked event of one revoker", async () => {
  for (const target of targets) {
    const { jws } = await signCut(target, { reason: "left", at: 1_000 }, revoker);
    expect(revokerOf(jws)).toBe(thumbprint(revoker.jwk));
    expect(await readCut(jws, publicPart)).toMatchObject({ target, at: 1_000, reason: "left" });
  }
});

test("two cuts of one target are two events", async () => {
  const [a, b] = await Promise.all(
    [1, 2].map(() => signCut({ agent: "a" }, { reason: "r", at: 1 }, revoker)),
  );
  expect(a!.jws).not.toBe(b!.jws);
});

test("a target or reason without content is not signed", async () => {
  for (const target of [{ principal: "" }, { tenant: "" }, { delegation: "", issuer: "x" }] as const)
    await expect(signCut(target, { reason: "r" }, revoker)).rejects.toMatchObject({ code: "malformed_cut" });
  await expect(signCut({ agent: "a" }, { reason: "" }, revoker)).rejects.toMatchObject({
    code: "malformed_cut",
  });
});

test("another key, type, event or subject, or a date after the signature, is no cut", async () => {
  const { jws } = await signCut({ agent: "a" }, { reason: "r", at: 5 }, revoker);
  await expect(readCut(jws, publicKey((await key()).jwk))).rejects.toMatchObject({
    code: "signature_invalid",
  });
  const event = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
  const claims = {
    iss: "i",
    jti: "j",
    iat: 5,
    sub_id: { format: "complex", tenant: { format: "opaque", id: "acme" } },
    events: { [event]: { event_timestamp: 5, reason_admin: { en: "r" } } },
  };
  const sign = async (change: object, typ = "secevent+jwt"): Promise<string> =>
    signCompact({ typ, kid: thumbprint(revoker.jwk) }, { ...claims, ...change }, revoker);
  await expect(readCut(await sign({}), publicPart)).resolves.toMatchObject({ target: { tenant: "acme" } });
  for (const wrong of [
    sign({}, "jwt"),
    sign({ iat: 4 }),
    sign({ events: { "https://example.com/other": {} } }),
    sign({
      sub_id: {
        format: "complex",
        tenant: { format: "opaque", id: "acme" },
        user: { format: "opaque", id: "x" },
      },
    }),
    sign({ sub_id: { format: "uri", uri: "urn:example:x" } }),
    sign({ exp: 9 }),
  ])
    await expect(readCut(await wrong, publicPart)).rejects.toMatchObject({ code: "malformed_cut" });
});
