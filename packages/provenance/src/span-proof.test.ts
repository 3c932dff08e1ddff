import { canonical, publicKey, signCompact, thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import { digest, flips, key } from "../test/deployment.ts";
import {
  ProvenanceError,
  type SpanClaims,
  headOf,
  signEntry,
  signSpanProof,
  verifySpanProof,
} from "./index.ts";

const claims: SpanClaims = {
  action: digest("action"),
  verdict: "permit",
  principal: "p-1",
  delegation: "jti-1",
  entry: digest("entry"),
  head: headOf({ size: 12, root: new Uint8Array(32) }),
  tool: "read_file",
  trace: "0af7651916cd43dd8448eb211c80319c",
  span: "b7ad6b7169203331",
};
const signer = await key();
const pub = publicKey(signer.jwk);

test("a proof states the span's claims under the entry key, well below 2 KB", async () => {
  const proof = signSpanProof(claims, signer);
  expect(proof.length).toBeLessThan(1024);
  expect(await verifySpanProof(proof, pub)).toEqual(claims);
});

test("a span of what was observed says so in place of a delegation, and never both or neither", async () => {
  const { delegation, ...rest } = claims;
  const observed: SpanClaims = { ...rest, observed: true };
  expect(await verifySpanProof(signSpanProof(observed, signer), pub)).toEqual(observed);
  for (const wrong of [rest, { ...observed, delegation }] as SpanClaims[])
    await expect(verifySpanProof(signSpanProof(wrong, signer), pub)).rejects.toMatchObject({
      code: "malformed_span_proof",
    });
});

test("a proof with any character changed, or of another key, is refused", async () => {
  const proof = signSpanProof(claims, signer);
  for (const flipped of flips(proof))
    await expect(verifySpanProof(flipped, pub)).rejects.toThrow(ProvenanceError);
  const other = publicKey((await key()).jwk);
  await expect(verifySpanProof(proof, other)).rejects.toMatchObject({ code: "signature_invalid" });
});

test("a span's proof is no other signature of the same key", async () => {
  const entry = signEntry(canonical({ ...claims }), 0, signer);
  await expect(verifySpanProof(entry, pub)).rejects.toMatchObject({ code: "malformed_span_proof" });
});

test("a proof that names another key than the one that signed it is refused", async () => {
  const misnamed = signCompact(
    { typ: "behest-span+jwt", kid: digest("other") },
    { ...claims },
    signer,
  ) as string;
  await expect(verifySpanProof(misnamed, pub)).rejects.toMatchObject({ code: "signature_invalid" });
});

test("claims that are none are refused although signed", async () => {
  const header = { typ: "behest-span+jwt", kid: thumbprint(signer.jwk) };
  for (const change of [
    { verdict: "maybe" },
    { trace: claims.trace.toUpperCase() },
    { entry: "short" },
    { more: "x" },
  ]) {
    const proof = signCompact(header, canonical({ ...claims, ...change }), signer) as string;
    await expect(verifySpanProof(proof, pub)).rejects.toMatchObject({ code: "malformed_span_proof" });
  }
});

test("a proof that a trace back end would cut is not made", () => {
  const long = { ...claims, tool: "x".repeat(1500) };
  expect(() => signSpanProof(long, signer)).toThrow(
    expect.objectContaining({ code: "too_large" }) as ProvenanceError,
  );
});
