import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { setup } from "../test/setup.ts";

const PROCESS = resolve(import.meta.dirname, "../test/process.ts");
const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];

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
