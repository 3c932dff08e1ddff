import { compactVerify, importJWK } from "jose";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBase64url, toBase64url, utf8 } from "./base64url.ts";
import { signCompact, verifyCompact } from "./compact.ts";
import { FormatError } from "./error.ts";
import { generatePrivateJwk, generateSigner, publicKey, signerOf, thumbprint, verify } from "./key.ts";

const key = await generatePrivateJwk();
const signer = signerOf(key);
const other = signerOf(await generatePrivateJwk());
const rule = { typ: "thing+jwt" };

async function refusal(
  token: string,
  under: { jwk: { kty: "OKP"; crv: "Ed25519"; x: string } } = signer,
): Promise<string> {
  try {
    await verifyCompact(token, publicKey(under.jwk), rule);
    return "accepted";
  } catch (error) {
    expect(FormatError.isInstance(error)).toBe(true);
    return (error as FormatError).code;
  }
}

const withHeader = async (header: object): Promise<string> => {
  const input = `${toBase64url(utf8(JSON.stringify(header)))}.${toBase64url(utf8("{}"))}`;
  return `${input}.${toBase64url(await signer.sign(utf8(input)))}`;
};

test("what we sign, jose verifies", async () => {
  const token = await signCompact(rule, { a: 1 }, signer);
  const { payload } = await compactVerify(token, await importJWK({ ...signer.jwk, alg: "Ed25519" }));
  expect(new TextDecoder().decode(payload)).toBe('{"a":1}');
  expect((await verifyCompact(token, publicKey(signer.jwk), rule)).payload).toBe('{"a":1}');
});

test("one flipped character anywhere is noticed", async () => {
  const token = await signCompact(rule, { amount: 50 }, signer);
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom("A", "B", "_", ".", "="), async (at, c) => {
      const altered = token.slice(0, at) + c + token.slice(at + 1);
      if (altered !== token) expect(await refusal(altered)).not.toBe("accepted");
    }),
  );
});

test("headers that RFC 7515 or this format do not allow are refused though their signature verifies", async () => {
  const good = { alg: "Ed25519", typ: "thing+jwt" };
  expect(await refusal(await withHeader(good))).toBe("accepted");
  for (const bad of [
    { ...good, alg: "none" },
    { ...good, alg: "EdDSA" },
    { ...good, alg: "HS256" },
    { ...good, typ: "JWT" },
    { alg: "Ed25519" },
    { ...good, crit: [] },
    { ...good, crit: ["b64"], b64: true },
    { ...good, crit: ["alg"] },
    { ...good, crit: ["x", "x"], x: 1 },
  ])
    expect(await refusal(await withHeader(bad))).toBe("header_refused");
  const repeated = `${toBase64url(utf8('{"alg":"Ed25519","alg":"Ed25519","typ":"thing+jwt"}'))}.e30.AA`;
  expect(await refusal(repeated)).toBe("duplicate_member");
});

test("a key in the header verifies nothing", async () => {
  const token = await signCompact({ ...rule, jwk: other.jwk }, {}, other);
  expect(await refusal(token)).toBe("signature_invalid");
});

test("a public key that anybody can sign for, or that is written in two ways, is refused", () => {
  const x = (hex: string): unknown => ({
    kty: "OKP",
    crv: "Ed25519",
    x: toBase64url(Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16))),
  });
  const zero = "00".repeat(31);
  for (const hex of [
    `01${zero}`,
    `00${zero}`,
    `00${"00".repeat(30)}80`,
    `01${"00".repeat(30)}80`,
    `ec${"ff".repeat(30)}7f`,
    `ed${"ff".repeat(30)}7f`,
    `ee${"ff".repeat(30)}ff`,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  ])
    expect(() => publicKey(x(hex))).toThrow(FormatError);
  expect(() => publicKey({ ...signer.jwk, d: key.d })).toThrow(/private/);
  expect(() => publicKey({ ...signer.jwk, crv: "X25519" })).toThrow(FormatError);
});

test("a signature whose S is not below the group order is refused", async () => {
  const bytes = utf8("x");
  const signature = await signer.sign(bytes);
  expect(await verify(publicKey(signer.jwk), bytes, signature)).toBe(true);
  let carry = 0n;
  for (let i = 63; i >= 32; i--) carry = (carry << 8n) | BigInt(signature[i]!);
  carry += 2n ** 252n + 27742317777372353535851937790883648493n;
  const raised = Uint8Array.from(signature);
  for (let i = 32; i < 64; i++, carry >>= 8n) raised[i] = Number(carry & 255n);
  expect(await verify(publicKey(signer.jwk), bytes, raised)).toBe(false);
});

test("a private key that does not belong to its public part is refused, before it has signed anything", async () => {
  const signing = async (): Promise<unknown> => signerOf({ ...key, x: other.jwk.x }).sign(utf8("something"));
  await expect(signing()).rejects.toMatchObject({ code: "malformed_key" });
});

test("a new signer's signatures are its key's, and no other's", async () => {
  const fresh = await generateSigner();
  const signature = await fresh.sign(utf8("something"));
  expect(await verify(publicKey(fresh.jwk), utf8("something"), signature)).toBe(true);
  expect(await verify(publicKey(other.jwk), utf8("something"), signature)).toBe(false);
  expect((await generateSigner()).jwk.x).not.toBe(fresh.jwk.x);
});

test("base64url has one writing of each value", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(Uint8Array.from(fromBase64url(toBase64url(bytes)))).toEqual(bytes);
    }),
  );
  for (const text of ["A", "AB", "AAB", "AA==", "A A", "AA\n", "+/"])
    expect(() => fromBase64url(text)).toThrow(FormatError);
});

test("thumbprints are those of RFC 8037, appendix A.3", () => {
  expect(thumbprint({ kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })).toBe(
    "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
  );
});
