import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PrivateJwk, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createBehest } from "./config.ts";
import type { BehestError } from "./error.ts";

const origin = process.cwd();
let folder: string;
let keys: { readonly [role in "owner" | "issuer" | "enforcer" | "agent"]: PrivateJwk };

/** What `behest init` makes, with an owner's key folder that this process can read or not. */
async function init(rung: "local" | undefined, apart = "/nonexistent/behest-keys"): Promise<void> {
  const signers = Object.fromEntries(Object.entries(keys).map(([role, jwk]) => [role, signerOf(jwk)])) as {
    [role in keyof typeof keys]: ReturnType<typeof signerOf>;
  };
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    ...(rung && { rung }),
    issuers: [{ iss: "urn:t", jwk: signers.issuer.jwk }],
    enforcers: [{ jwk: signers.enforcer.jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  mkdirSync(join(folder, ".behest"), { mode: 0o700 });
  const write = (name: string, text: string): void =>
    writeFileSync(join(folder, ".behest", name), text, { mode: 0o600 });
  write("trust.jws", await signTrust(manifest, signers.owner));
  write("enforcer.jwk", JSON.stringify(keys.enforcer));
  write("agent.jwk", JSON.stringify(keys.agent));
  write(
    "config.json",
    JSON.stringify({
      owner: thumbprint(signers.owner.jwk),
      manifest: "trust.jws",
      store: "log.db",
      signer: "enforcer.jwk",
      holder: "agent.jwk",
      keys: apart,
    }),
  );
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "behest-config-"));
  const [owner, issuer, enforcer, agent] = await Promise.all([
    generatePrivateJwk(),
    generatePrivateJwk(),
    generatePrivateJwk(),
    generatePrivateJwk(),
  ]);
  keys = { owner, issuer, enforcer, agent };
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(origin);
  rmSync(folder, { recursive: true, force: true });
});

const refusal = (): Promise<BehestError> =>
  createBehest().then(
    async (behest) => {
      await behest.close();
      return expect.unreachable("it started");
    },
    (error: unknown) => error as BehestError,
  );

test("without a folder it says what to do", async () => {
  const error = await refusal();
  expect(error.code).toBe("config_missing");
  expect(error.message).toContain("npx behest init");
});

test("a folder here or above is all the configuration there is", async () => {
  await init("local");
  mkdirSync(join(folder, "src/deep"), { recursive: true });
  process.chdir(join(folder, "src/deep"));
  const behest = await createBehest();
  expect(await behest.records.list()).toEqual([]);
  await behest.close();
});

test("a file of profiles in the folder is used, and one that is not well-formed starts nothing", async () => {
  await init("local");
  const file = join(folder, ".behest/profiles.json");
  writeFileSync(file, '{"read": {"effect": "read", "boundary": "inside"}}');
  const behest = await createBehest();
  await behest.close();
  writeFileSync(file, '{"read": {"effect": "none", "boundary": "inside"}}');
  const error = await refusal();
  expect(error.code).toBe("profiles_invalid");
  expect(error.message).toContain(`${file}: "read".effect`);
});

test("without a word about policies the shipped ones decide, and it is said that nobody can approve", async () => {
  await init("local");
  const warned = new Promise<NodeJS.ErrnoException>((resolve) => process.once("warning", resolve));
  const behest = await createBehest();
  await behest.close();
  const { code, message } = await warned;
  expect(code).toBe("BEHEST_NO_APPROVER");
  expect(message).toContain('1 of "approvers" (default.cedar#read-outside, ');
});

test("a key file that others can read, a link to one, or one without a key starts nothing", async () => {
  await init("local");
  const file = join(folder, ".behest/enforcer.jwk");
  for (const mode of [0o640, 0o604, 0o660]) {
    chmodSync(file, mode);
    expect((await refusal()).code).toBe("key_unsafe");
  }
  rmSync(file);
  expect((await refusal()).code).toBe("config_missing");
  symlinkSync(join(folder, ".behest/agent.jwk"), file);
  expect((await refusal()).code).toBe("key_unsafe");
  rmSync(file);
  for (const text of [
    "",
    "{}",
    "null",
    JSON.stringify({ ...keys.enforcer, d: keys.agent.d }),
    JSON.stringify({ ...keys.enforcer, crv: "X25519" }),
  ]) {
    writeFileSync(file, text, { mode: 0o600 });
    const error = await refusal();
    expect(error.code).toBe("config_invalid");
    expect(error.message).not.toContain(keys.agent.d);
  }
});

test("a configuration that is no JSON or lacks a name starts nothing", async () => {
  await init("local");
  const file = join(folder, ".behest/config.json");
  const good = JSON.parse(readFileSync(file, "utf8")) as { [name: string]: string };
  const { holder: _, ...lacking } = good;
  for (const text of [
    "",
    "[]",
    "null",
    "{",
    JSON.stringify(lacking),
    JSON.stringify({ ...good, owner: 1 }),
  ]) {
    writeFileSync(file, text);
    expect((await refusal()).code).toBe("config_invalid");
  }
  writeFileSync(file, JSON.stringify({ ...good, owner: thumbprint(signerOf(keys.issuer).jwk) }));
  expect((await refusal()).code).toBe("trust_invalid");
});

test("owner's keys within reach: said loudly on a developer's machine, the end of it anywhere else", async () => {
  const apart = mkdtempSync(join(tmpdir(), "behest-apart-"));
  try {
    await init("local", apart);
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const behest = await createBehest();
    await behest.close();
    expect(warned.mock.calls).toContainEqual([expect.anything(), { code: "BEHEST_KEY_READABLE" }]);
    warned.mockRestore();
    rmSync(join(folder, ".behest"), { recursive: true });
    await init(undefined, apart);
    expect((await refusal()).code).toBe("key_readable");
  } finally {
    rmSync(apart, { recursive: true });
  }
});

test("an enforcer's folder that holds the issuer's key under another name is refused", async () => {
  await init("local");
  writeFileSync(join(folder, ".behest/agent.jwk"), JSON.stringify(keys.issuer), { mode: 0o600 });
  expect((await refusal()).code).toBe("key_readable");
});

test("an option that is misspelt, or has a value that there is not, starts nothing", async () => {
  await init("local");
  for (const [wrong, told] of [
    [{ fed: {} }, '"fed"'],
    [{ toString: true }, '"toString"'],
    [{ identity: "refuze" }, '"record" or "refuse"'],
    [{ enforce: "off" }, '"enforce" or "shadow"'],
    [{ content: true }, '"digest" or "keep"'],
    [{ logs: "all" }, '"entries"'],
  ] as const)
    await expect(createBehest(wrong as object)).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringContaining(told),
    });
});
