// The README's sections on asking for less, restrictions and keys, as code that compiles and runs.
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type Anchor,
  type Signer,
  deriveDelegation,
  explain,
  generateHolder,
  is,
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

test("every block of the sections stands in this file", () => {
  const from = readme.indexOf("\n## Asking for less");
  const section = readme.slice(from, readme.indexOf("\n## Which agent\n"));
  const blocks = [...section.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => code!);
  expect(blocks).toHaveLength(6);
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

test("a wider wish is explained, and narrowed", async () => {
  const issuerKey = await generateHolder();
  const mail = (domain: string) => ({ send_mail: { to: is.email(domain).constraint } });
  const root = await issueDelegation({ ...claims, tools: mail("@example.com") }, issuerKey);
  const [reader, wider] = [agent, { send_mail: { to: is.any.constraint } }];
  const console = { log: (...said: string[]) => lines.push(said.join(" ")) };
  const lines: string[] = [];
  const wish = { tools: wider, expiresIn: "8h" } as const;
  for (const { path, result, why } of await explain(root, wish)) console.log(result, path, why);
  expect(lines).toContain("narrowed tools.send_mail.to the parent's own rule is narrower");
  const part = await deriveDelegation(root, { ...wish, holder: reader.jwk, narrow: true }, agent);
  const anchors = [{ iss: claims.issuer, jwk: issuerKey.jwk }];
  await expect(verifyDelegation(part, { issuers: anchors })).resolves.toMatchObject({
    tools: mail("@example.com"),
  });
});

test("a delegation with everything that can restrict it", async () => {
  const issuerKey = await generateHolder();
  const evidence = "A".repeat(43);
  const root =
    // What the README shows.
    await issueDelegation(
      {
        ...claims,
        consent: { rung: "oauth", evidence },
        workspace: "acme/finance",
        limits: [
          { calls: 20, amount: { EUR: "500.00" } },
          { amount: { EUR: "50" }, per: "action" },
        ],
        fanOut: 3,
        effects: ["read", "reversible"],
        approvals: { pay: { finance: 2 } },
        minConsent: "oauth",
      },
      issuerKey,
    );
  const anchors = [{ iss: claims.issuer, jwk: issuerKey.jwk }];
  await expect(verifyDelegation(root, { issuers: anchors })).resolves.toHaveProperty(
    "restrictions.fan_out",
    3,
  );
});
