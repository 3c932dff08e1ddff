import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { setup } from "../test/setup.ts";

const FLAGS = ["--conditions=@behest/source", "--disable-warning=ExperimentalWarning"];
const program = (name: string): string => resolve(import.meta.dirname, "../test", name);

/** A folder for processes that share a log, and what they did. */
async function processes() {
  const folder = await mkdtemp(join(tmpdir(), "behest-defers-"));
  await writeFile(join(folder, "setup.json"), JSON.stringify(await setup()));
  const notes = async (): Promise<string[]> =>
    (await readFile(join(folder, "notes"), "utf8").catch(() => "")).trim().split("\n");
  const children: ChildProcess[] = [];
  const run = async (...args: [name: string, role: string]): Promise<string> =>
    (await promisify(execFile)(process.execPath, [...FLAGS, program(args[0]), folder, args[1]])).stdout;
  return {
    notes,
    /** Runs until it hangs, its payment deferred. */
    async hanging(role: "first" | "dies") {
      const child = spawn(process.execPath, [...FLAGS, program("defers.ts"), folder, role], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      children.push(child);
      const killed = once(child, "exit");
      while (!(await notes()).includes("hangs")) await setTimeout(20);
      return { child, killed };
    },
    approve: () => run("process.ts", "approve"),
    second: async () =>
      JSON.parse(await run("defers.ts", "second")) as { asked: number; outcomes: string[]; told: string[] },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true });
    },
  };
}

test("killed after the receipt: the next process is told the same, and does it once it is approved", async () => {
  await using shared = await processes();
  const { child, killed } = await shared.hanging("first");
  child.kill("SIGKILL");
  await killed;
  await shared.approve();
  const said = await shared.second();
  expect(said).toMatchObject({ asked: 1, outcomes: ["done"], told: [expect.stringContaining('"paid"')] });
  expect(await shared.notes()).toEqual(["hangs", "paid 5"]);
});

test("killed in the body: nobody knows how it ended, and it is not done again", async () => {
  await using shared = await processes();
  const { killed } = await shared.hanging("dies");
  await shared.approve();
  expect(await killed).toEqual([null, "SIGKILL"]);
  expect(await shared.second()).toMatchObject({ asked: 1, outcomes: ["outcome_unknown"] });
  expect(await shared.notes()).toEqual(["hangs", "paid 5"]);
});
