import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { type PrivateJwk, generatePrivateJwk, publicKey, utf8, verify } from "@behest/jws";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import type { Signer } from "../index.ts";
import { signerFromEnvironment, signerFromFile } from "../node.ts";

const folder = mkdtempSync(join(tmpdir(), "behest-keys-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const jwk: PrivateJwk = await generatePrivateJwk();
const pem = createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
const seed = Buffer.from(jwk.d, "base64url");
let files = 0;
function file(text: string, mode = 0o600): string {
  const path = join(folder, `key-${files++}.pem`);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}
async function isTheKey(signer: Signer): Promise<void> {
  expect(signer.jwk).toEqual({ kty: "OKP", crv: "Ed25519", x: jwk.x });
  expect(
    await verify(
      publicKey(jwk.x === signer.jwk.x ? signer.jwk : {}),
      utf8("x"),
      await signer.sign(utf8("x")),
    ),
  ).toBe(true);
  const shown = inspect(signer, { depth: Infinity, showHidden: true }) + JSON.stringify(signer);
  for (const secret of [jwk.d, seed.toString("hex"), seed.toString("base64"), pem.split("\n")[1]!])
    expect(shown).not.toContain(secret);
}
/** Code of a refusal; whatever was read is not in it. */
function refusal(read: () => Signer): unknown {
  try {
    read();
  } catch (error) {
    const shown = inspect(error, { depth: Infinity });
    for (const secret of [jwk.d, pem.split("\n")[1]!]) expect(shown).not.toContain(secret);
    return (error as { code?: unknown }).code;
  }
  return "accepted";
}

test("a key file of PKCS#8 PEM or JWK signs, for its owner alone", async () => {
  for (const text of [
    pem,
    pem.trim(),
    JSON.stringify(jwk),
    `\n${JSON.stringify({ ...jwk, kid: "k" }, null, 2)}\n`,
  ])
    for (const mode of [0o600, 0o400]) await isTheKey(signerFromFile(file(text, mode)));
  const made = join(folder, "openssl.pem");
  const { privateKey } = generateKeyPairSync("ed25519");
  writeFileSync(made, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  expect(signerFromFile(made).jwk.x).toBe(privateKey.export({ format: "jwk" }).x);
});

test.skipIf(process.platform === "win32")("a key file that others can read or change is refused", () => {
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o660, 0o777])
    expect([mode, refusal(() => signerFromFile(file(pem, mode)))]).toEqual([mode, "key_readable"]);
});

test.skipIf(!process.geteuid)("a key file of another account is refused, of root it is not", async () => {
  const path = file(pem);
  // Only root can give a file away; anybody else has to pretend to be another.
  if (process.geteuid!() === 0) chownSync(path, 12_345, 12_345);
  else vi.spyOn(process, "geteuid").mockReturnValue(12_345);
  expect(refusal(() => signerFromFile(path))).toBe("key_readable");
  vi.restoreAllMocks();
  if (process.geteuid!() !== 0) return;
  vi.spyOn(process, "geteuid").mockReturnValue(12_345);
  await isTheKey(signerFromFile(path));
  await isTheKey(signerFromFile(file(pem)));
  vi.restoreAllMocks();
});

test.skipIf(process.platform === "win32")("a link counts as what it leads to", async () => {
  const link = (name: string, to: string): string => {
    symlinkSync(to, join(folder, name));
    return join(folder, name);
  };
  await isTheKey(signerFromFile(link("good", file(pem))));
  expect(refusal(() => signerFromFile(link("open", file(pem, 0o644))))).toBe("key_readable");
  expect(refusal(() => signerFromFile(link("twice", link("once", file(pem, 0o640)))))).toBe("key_readable");
  expect(refusal(() => signerFromFile(link("nowhere", "no such file")))).toBe("key_missing");
  expect(refusal(() => signerFromFile(link("self", "self")))).toBe("key_missing");
  expect(refusal(() => signerFromFile(link("folder", folder)))).toBe("malformed_key");
  expect(refusal(() => signerFromFile(link("device", "/dev/zero")))).toBe("malformed_key");
});

test.skipIf(process.platform === "win32")("a pipe is no key file, and does not hold anybody up", () => {
  const pipe = join(folder, "pipe");
  execFileSync("/usr/bin/env", ["mkfifo", "-m", "600", pipe]);
  expect(refusal(() => signerFromFile(pipe))).toBe("malformed_key");
});

test("what is no key file is refused under a stable code", () => {
  mkdirSync(join(folder, "dir"));
  expect(refusal(() => signerFromFile(join(folder, "dir")))).toBe("malformed_key");
  expect(refusal(() => signerFromFile(join(folder, "absent")))).toBe("key_missing");
  expect(refusal(() => signerFromFile(join(folder, "absent", "absent")))).toBe("key_missing");
  expect(refusal(() => signerFromFile("a\0b"))).toBe("key_missing");
  expect(refusal(() => signerFromFile(""))).toBe("key_missing");
  const huge = file(pem);
  truncateSync(huge, 1e9);
  expect(refusal(() => signerFromFile(huge))).toBe("malformed_key");
  const other = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  for (const text of [
    "",
    "{}",
    "null",
    "\u0000",
    "{",
    pem + pem,
    pem.replaceAll("PRIVATE", "ENCRYPTED PRIVATE"),
    generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    JSON.stringify({ ...jwk, d: other.d }),
    JSON.stringify({ ...jwk, d: jwk.d + "A" }),
    JSON.stringify({ ...jwk, crv: "X25519" }),
    JSON.stringify({ ...jwk, d: undefined }),
    `${JSON.stringify(jwk)} trailing`,
    `{"d":"${jwk.d}",${JSON.stringify(jwk).slice(1)}`,
  ])
    expect([text.length, refusal(() => signerFromFile(file(text)))]).toEqual([text.length, "malformed_key"]);
});

test("a key in the environment is taken out of it, and children do not inherit it", async () => {
  const ask = "process.stdout.write(String(process.env.BEHEST_TEST_KEY))";
  for (const text of [
    pem,
    Buffer.from(pem).toString("base64"),
    JSON.stringify(jwk),
    Buffer.from(JSON.stringify(jwk)).toString("base64"),
  ]) {
    vi.stubEnv("BEHEST_TEST_KEY", text);
    expect(execFileSync(process.execPath, ["-e", ask], { encoding: "utf8" })).toBe(text);
    await isTheKey(signerFromEnvironment("BEHEST_TEST_KEY"));
    expect("BEHEST_TEST_KEY" in process.env).toBe(false);
    expect(execFileSync(process.execPath, ["-e", ask], { encoding: "utf8" })).toBe("undefined");
    expect(refusal(() => signerFromEnvironment("BEHEST_TEST_KEY"))).toBe("key_missing");
  }
});

test("a variable that holds no key is refused, and taken out all the same", () => {
  for (const text of [
    "!",
    "{}",
    `${pem}x`,
    pem.slice(0, -30),
    Buffer.from("no key").toString("base64"),
    jwk.d,
  ]) {
    vi.stubEnv("BEHEST_TEST_KEY", text);
    expect(refusal(() => signerFromEnvironment("BEHEST_TEST_KEY"))).toBe("malformed_key");
    expect("BEHEST_TEST_KEY" in process.env).toBe(false);
  }
  vi.stubEnv("BEHEST_TEST_KEY", "");
  expect(refusal(() => signerFromEnvironment("BEHEST_TEST_KEY"))).toBe("key_missing");
});
