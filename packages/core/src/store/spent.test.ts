import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import {
  type ActionOptions,
  type PresentedAction,
  holderOf,
  issueDelegation,
  proveAction,
  verifyAction,
} from "@behest/delegation";
import { type PrivateJwk, generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { type Manifest, signTrust } from "@behest/provenance";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Reception } from "../../test/receiver.ts";
import { testBehest } from "../testing.ts";

const TOOLS = { pay: {} };
const call = { tool: "pay", args: { amount: 20 } };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "behest-spent-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function presented(
  issuer: PrivateJwk,
): Promise<{ readonly action: PresentedAction; readonly options: ActionOptions }> {
  const holder = holderOf(await generatePrivateJwk());
  const chain = await issueDelegation(
    { issuer: "urn:t", holder: holder.jwk, principal: "p", task: "t", tools: TOOLS, expiresIn: "1h" },
    signerOf(issuer),
  );
  const proof = await proveAction({ delegation: chain, ...call }, holder);
  const { kty, crv, x } = issuer;
  return {
    action: { chain, proof, ...call },
    options: { issuers: [{ iss: "urn:t", jwk: { kty, crv, x } }] },
  };
}

test("of several processes on one store one accepts a proof, and none that starts later", async () => {
  const [owner, issuer, enforcer] = [
    await generatePrivateJwk(),
    await generatePrivateJwk(),
    await generatePrivateJwk(),
  ];
  const manifest: Manifest = {
    v: 1,
    seq: 0,
    at: new Date(0).toISOString(),
    origin: "t/log",
    issuers: [],
    enforcers: [{ jwk: signerOf(enforcer).jwk }],
    approvers: [],
    revokers: [],
    witnesses: [],
  };
  const trust = {
    owner: thumbprint(owner),
    manifest: await signTrust(manifest, signerOf(owner)),
  };
  const common = { path: join(folder, "log.db"), trust, enforcer };
  const first = await presented(issuer);
  const receive = async (reception: Reception): Promise<string> => {
    const file = resolve(import.meta.dirname, "../../test/receiver.ts");
    const args = ["--conditions=@behest/source", file, JSON.stringify(reception)];
    return (await promisify(execFile)(process.execPath, args)).stdout.trim();
  };
  const both = await Promise.all([receive({ ...common, ...first }), receive({ ...common, ...first })]);
  expect(both.toSorted()).toEqual(["permitted", "proof_replayed"]);
  expect(await receive({ ...common, ...first })).toBe("proof_replayed");
  expect(await receive({ ...common, ...(await presented(issuer)) })).toBe("permitted");
});

test("refused calls spend nothing, and a store that cannot write refuses", async () => {
  const behest = await testBehest();
  const { action, options } = await presented(await generatePrivateJwk());
  const { replay } = behest;
  await expect(
    verifyAction({ ...action, args: { amount: 21 } }, { ...options, replay }),
  ).rejects.toMatchObject({ step: "7f" });
  await expect(verifyAction(action, { ...options, replay })).resolves.toHaveProperty("principal", "p");
  await expect(verifyAction(action, { ...options, replay })).rejects.toMatchObject({
    code: "proof_replayed",
    step: "7i",
  });
  await behest.close();
  const other = await presented(await generatePrivateJwk());
  await expect(verifyAction(other.action, { ...other.options, replay })).rejects.toMatchObject({
    code: "store_failed",
  });
});
