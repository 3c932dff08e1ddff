import { canonical, signCompact, thumbprint } from "@behest/jws";
import { expect, test } from "vitest";
import { Deployment, NOW, ORIGIN, flips, key } from "../test/deployment.ts";
import { type Manifest, ProvenanceError, certifyEntryKey, readCertificate } from "./index.ts";

const { enforcer, issuer, manifest } = await Deployment.make();
const { jwk } = await key();
const request = { jwk, origin: ORIGIN, from: NOW, until: NOW + 3600 };
const certificate = await certifyEntryKey(request, enforcer);

test("a certificate names the key, its times and the enforcer", async () => {
  const read = await readCertificate(certificate, manifest, 0);
  expect(read).toEqual({ jwk, from: NOW, until: NOW + 3600, enforcer: enforcer.jwk });
});

test("an enforcer whose signer answers later certifies too", async () => {
  const remote = { jwk: enforcer.jwk, sign: async (bytes: Uint8Array) => enforcer.sign(bytes) };
  expect(await certifyEntryKey(request, remote)).toBe(certificate);
});

test("a certificate with any character changed is refused", async () => {
  for (const flipped of flips(certificate))
    await expect(readCertificate(flipped, manifest, 0)).rejects.toThrow(ProvenanceError);
});

test("only an enforcer that the manifest names at this index certifies", async () => {
  const limited: Manifest = { ...manifest, enforcers: [{ jwk: enforcer.jwk, from: 10, until: 20 }] };
  const code = async (by: Manifest, index?: number) =>
    readCertificate(certificate, by, index).then(
      () => "ok",
      (error: ProvenanceError) => error.code,
    );
  expect(await Promise.all([9, 10, 19, 20].map((index) => code(limited, index)))).toEqual([
    "enforcer_not_trusted",
    "ok",
    "ok",
    "enforcer_not_trusted",
  ]);
  // Without an index the question is about the time from now on.
  expect([await code(limited), await code(manifest)]).toEqual(["enforcer_not_trusted", "ok"]);
  const stranger = await certifyEntryKey(request, await key());
  await expect(readCertificate(stranger, manifest, 0)).rejects.toMatchObject({
    code: "enforcer_not_trusted",
  });
  const byIssuer = await certifyEntryKey(request, issuer);
  await expect(readCertificate(byIssuer, manifest, 0)).rejects.toMatchObject({
    code: "enforcer_not_trusted",
  });
});

test("a certificate that names the enforcer and is signed by another key is refused", async () => {
  const claims = { iss: thumbprint(enforcer.jwk), aud: ORIGIN, nbf: NOW, exp: NOW + 1, cnf: { jwk } };
  const forged = signCompact({ typ: "behest-entry-key+jwt" }, claims, await key()) as string;
  await expect(readCertificate(forged, manifest, 0)).rejects.toMatchObject({ code: "signature_invalid" });
});

test("a certificate for another log is refused", async () => {
  const other = await certifyEntryKey({ ...request, origin: "log.example/other" }, enforcer);
  await expect(readCertificate(other, manifest, 0)).rejects.toMatchObject({ code: "origin_mismatch" });
});

test("an entry key is nobody else's key", async () => {
  const own = await certifyEntryKey({ ...request, jwk: issuer.jwk }, enforcer);
  await expect(readCertificate(own, manifest, 0)).rejects.toMatchObject({ code: "roles_not_apart" });
});

test("times are whole seconds, and a certificate begins before it ends", async () => {
  for (const wrong of [
    { from: NOW + 0.5 },
    { from: NOW + 3600 },
    { until: Number.NaN },
    { from: -1 },
    { origin: "" },
  ])
    await expect(certifyEntryKey({ ...request, ...wrong }, enforcer)).rejects.toMatchObject({
      code: "malformed_certificate",
    });
  const claims = { iss: thumbprint(enforcer.jwk), aud: ORIGIN, nbf: NOW, exp: NOW + 1, cnf: { jwk } };
  for (const change of [
    { nbf: NOW + 1 },
    { nbf: String(NOW) },
    { scope: "all" },
    { cnf: { jwk, jku: "https://x" } },
    { cnf: {} },
  ]) {
    const forged = signCompact(
      { typ: "behest-entry-key+jwt" },
      canonical({ ...claims, ...change }),
      enforcer,
    ) as string;
    await expect(readCertificate(forged, manifest, 0)).rejects.toMatchObject({
      code: "malformed_certificate",
    });
  }
});
