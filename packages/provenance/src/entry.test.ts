import { canonical, publicKey, signCompact, thumbprint, toBase64url, utf8 } from "@behest/jws";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { flips, key } from "../test/deployment.ts";
import { MAX_ENTRY, ProvenanceError, entryHash, parseEntry, signEntry, verifyEntry } from "./index.ts";

const payload = canonical({ v: 1, type: "trust", at: "2026-11-20T08:00:00.000Z", certificate: "x" });

test("an entry is a compact JWS with a canonical header, and reads back as it was signed", async () => {
  const signer = await key();
  const jws = signEntry(payload, 7, signer);
  const kid = thumbprint(signer.jwk);
  expect(jws.split(".")[0]).toBe(
    toBase64url(utf8(canonical({ alg: "Ed25519", kid, seq: 7, typ: "behest-entry+jwt" }))),
  );
  expect(jws).toBe(signCompact({ typ: "behest-entry+jwt", kid, seq: 7 }, payload, signer));
  const leaf = createHash("sha256")
    .update(Buffer.from([0]))
    .update(jws, "ascii")
    .digest("base64url");
  expect(parseEntry(jws)).toEqual({ kid, seq: 7, payload, hash: leaf, jws });
  expect(toBase64url(entryHash(jws))).toBe(leaf);
  expect(await verifyEntry(parseEntry(jws), publicKey(signer.jwk))).toBe(true);
});

test("an entry with any character changed is refused or does not verify", async () => {
  const signer = await key();
  const publicPart = publicKey(signer.jwk);
  const jws = signEntry(payload, 0, signer);
  const verdict = async (flipped: string) => {
    try {
      return (await verifyEntry(parseEntry(flipped), publicPart)) ? "verified" : "not verified";
    } catch (error) {
      return (error as ProvenanceError).code;
    }
  };
  const verdicts = new Set<string>();
  for (const flipped of flips(jws)) verdicts.add(await verdict(flipped));
  expect(verdicts).toEqual(new Set(["malformed_entry", "not verified"]));
});

test("another key verifies nothing, and a key that the header does not name verifies not even its own signature", async () => {
  const [ours, theirs] = [await key(), await key()];
  expect(await verifyEntry(parseEntry(signEntry(payload, 0, ours)), publicKey(theirs.jwk))).toBe(false);
  const header = { typ: "behest-entry+jwt", kid: thumbprint(ours.jwk), seq: 0 };
  const misnamed = parseEntry(signCompact(header, payload, theirs) as string);
  expect(await verifyEntry(misnamed, publicKey(ours.jwk))).toBe(false);
  expect(await verifyEntry(misnamed, publicKey(theirs.jwk))).toBe(false);
});

test.each([
  ["no kid", { typ: "behest-entry+jwt", seq: 0 }],
  ["another typ", { typ: "JWT", kid: "k", seq: 0 }],
  ["a member more", { typ: "behest-entry+jwt", kid: "k", seq: 0, jku: "https://x" }],
  ["crit", { typ: "behest-entry+jwt", kid: "k", seq: 0, crit: ["seq"] }],
  ["seq as text", { typ: "behest-entry+jwt", kid: "k", seq: "0" }],
  ["a negative seq", { typ: "behest-entry+jwt", kid: "k", seq: -1 }],
  ["a fractional seq", { typ: "behest-entry+jwt", kid: "k", seq: 0.5 }],
  ["a kid that must be escaped", { typ: "behest-entry+jwt", kid: 'k","seq":1,"x":"', seq: 0 }],
])("a header with %s is refused", async (_, header) => {
  const jws = (await signCompact(header as { typ: string }, payload, await key())) as string;
  expect(() => parseEntry(jws)).toThrow(
    expect.objectContaining({ code: "malformed_entry" }) as ProvenanceError,
  );
});

test("a second spelling of the same header is refused", async () => {
  const signer = await key();
  const [, body, signature] = signEntry(payload, 0, signer).split(".");
  const kid = thumbprint(signer.jwk);
  for (const header of [
    `{"alg":"Ed25519","kid":"${kid}","seq":0, "typ":"behest-entry+jwt"}`,
    `{"alg":"Ed25519","kid":"${kid}","seq":0.0,"typ":"behest-entry+jwt"}`,
    `{"kid":"${kid}","alg":"Ed25519","seq":0,"typ":"behest-entry+jwt"}`,
    `{"alg":"EdDSA","kid":"${kid}","seq":0,"typ":"behest-entry+jwt"}`,
    `{"alg":"none","kid":"${kid}","seq":0,"typ":"behest-entry+jwt"}`,
  ])
    expect(() => parseEntry(`${toBase64url(utf8(header))}.${body}.${signature}`)).toThrow(ProvenanceError);
});

test("an entry beyond the size bound is refused before it is read", () => {
  expect(() => parseEntry("A".repeat(MAX_ENTRY + 1))).toThrow(/too long/);
});

test("a signer that answers later is refused, and its late failure ends nothing", async () => {
  const { jwk } = await key();
  const remote = { jwk, sign: () => Promise.reject<Uint8Array>(new Error("remote")) };
  expect(() => signEntry(payload, 0, remote)).toThrow(
    expect.objectContaining({ code: "signer_async" }) as ProvenanceError,
  );
  await new Promise((resolve) => setImmediate(resolve));
});

test("signers in turn each get their own name", async () => {
  for (const signer of [await key(), await key()])
    for (const seq of [0, 1])
      expect(parseEntry(signEntry(payload, seq, signer))).toMatchObject({ kid: thumbprint(signer.jwk), seq });
});
