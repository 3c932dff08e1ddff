// The README's section on keys, as code that compiles and runs.
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type Anchor,
  type Signer,
  generateHolder,
  issueDelegation,
  signerFromPkcs8,
  signerFromWebCrypto,
  verifyDelegation,
} from "@behest/delegation";
import { signerFromEnvironment, signerFromFile } from "@behest/delegation/node";
import { afterEach, beforeEach, expect, test } from "vitest";

const readme = readFileSync(resolve(import.meta.dirname, "../README.md"), "utf8");
const own = readFileSync(import.meta.filename, "utf8");
/** Without what a formatter decides. */
const plain = (code: string): string => code.replace(/\s+/g, "").replace(/,([}\])])/g, "$1");

test("every block of the section stands in this file", () => {
  const section = readme.slice(readme.indexOf("\n## Keys\n"), readme.indexOf("\n## Which agent\n"));
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
  expect(blocks).toHaveLength(4);
  // Imports stand above, each on its own.
  for (const part of blocks.flatMap((code) => code.split("\n\n"))) expect(plain(own)).toContain(plain(part));
});

const agent = await generateHolder();
const claims = {
  issuer: "urn:example:office",
  holder: agent.jwk,
  principal: "alice",
  task: "t",
  tools: {},
  expiresIn: "1h",
} as const;
const { privateKey } = generateKeyPairSync("ed25519");
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const x = privateKey.export({ format: "jwk" }).x!;

const before = process.cwd();
beforeEach(() => process.chdir(mkdtempSync(join(tmpdir(), "behest-readme-"))));
afterEach(() => {
  const folder = process.cwd();
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

test("a key of WebCrypto", async () => {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const local = await signerFromWebCrypto(pair);
  await expect(issueDelegation(claims, local)).resolves.toHaveProperty("chain");
});

test("a key as text, in a file, in the environment", async () => {
  writeFileSync("issuer.pem", pem, { mode: 0o600 });
  process.env["ISSUER_KEY"] = pem;
  const fromText = await signerFromPkcs8(pem);
  const fromFile = signerFromFile("issuer.pem");
  const fromVariable = signerFromEnvironment("ISSUER_KEY");
  for (const signer of [fromText, fromFile, fromVariable]) expect(signer.jwk.x).toBe(x);
});

test("a key in a KMS, and issuers with what they may assert", async () => {
  const inside = await signerFromPkcs8(pem);
  const kms = {
    async sign({ message }: { keyId: string; message: Uint8Array }): Promise<{ signature: Uint8Array }> {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { signature: await inside.sign(message) };
    },
  };
  const publicKeyOfTheKms = x;
  const remote: Signer = {
    jwk: { kty: "OKP", crv: "Ed25519", x: publicKeyOfTheKms },
    sign: async (message) => (await kms.sign({ keyId: "issuer", message })).signature,
  };
  const signed = await issueDelegation(claims, remote);

  const [delegation, officeKey] = [signed, remote.jwk];
  const issuers: Anchor[] = [
    { iss: "https://login.example", jwks: "https://login.example/jwks.json", tenants: ["acme"] },
    { iss: "urn:example:office", jwk: officeKey, subjects: ["alice", "bob"] },
  ];
  const { tenant, principal } = await verifyDelegation(delegation, { issuers });
  expect([tenant, principal]).toEqual([undefined, "alice"]);
});
