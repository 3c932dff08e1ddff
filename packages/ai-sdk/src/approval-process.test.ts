import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { issueDelegation } from "@behest/delegation";
import { generatePrivateJwk, signerOf, thumbprint } from "@behest/jws";
import { signTrust } from "@behest/provenance";
import type { Setup } from "../test/process.ts";

const PROCESS = resolve(import.meta.dirname, "../test/process.ts");
const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];

async function setup(): Promise<Setup> {
  const [owner, issuer, enforcer, holder, approver] = (await Promise.all(
    Array.from({ length: 5 }, () => generatePrivateJwk()),
  )) as [Jwk, Jwk, Jwk, Jwk, Jwk];
  const iss = "https://issuer.test";
  const manifest = await signTrust(
    {
      v: 1,
      seq: 0,
      at: new Date(0).toISOString(),
      origin: "behest.test/log",
      rung: "local",
      issuers: [{ iss, jwk: signerOf(issuer).jwk, rung: "local" }],
      enforcers: [{ jwk: signerOf(enforcer).jwk }],
      approvers: [{ group: "finance", person: "cfo", jwk: signerOf(approver).jwk }],
      revokers: [],
      witnesses: [],
    },
    signerOf(owner),
  );
  const root = await issueDelegation(
    {
      issuer: iss,
      holder: signerOf(holder).jwk,
      principal: "alice",
      task: "t",
      tools: { pay: {} },
      expiresIn: "1h",
      approvals: { pay: { finance: 1 } },
    },
    signerOf(issuer),
  );
  return { trust: { owner: thumbprint(signerOf(owner).jwk), manifest }, enforcer, holder, approver, root };
}
type Jwk = Awaited<ReturnType<typeof generatePrivateJwk>>;

test("a run that waits outlives its process: another is told the decision, and others take it up, once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "behest-"));
  const go = async (role: string): Promise<string> =>
    (await promisify(execFile)(process.execPath, [...FLAGS, PROCESS, folder, role])).stdout.trim();
  try {
    await writeFile(join(folder, "setup.json"), JSON.stringify(await setup()));
    const first = spawn(process.execPath, [...FLAGS, PROCESS, folder, "start"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [said] = (await once(first.stdout, "data")) as [Buffer];
    expect(String(said).trim()).toBe("waits");
    first.kill("SIGKILL");
    await once(first, "exit");
    expect(await go("resume")).toBe("waits");
    await go("approve");
    expect(await go("resume")).toBe("done");
    const again = await Promise.allSettled([go("resume"), go("resume")]);
    expect(again.map(({ status }) => status)).toContain("fulfilled");
    expect(await readFile(join(folder, "paid"), "utf8")).toBe("5\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});
