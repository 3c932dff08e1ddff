// Runs the ladder as a user would: init, a delegation signed by Alice, then each example, in a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { EXPECTED } from "./expected.ts";

const here = import.meta.dirname;
const command = resolve(here, "../packages/behest/src/main.ts");

const folder = mkdtempSync(join(tmpdir(), "behest-examples-"));
const env = { ...process.env, XDG_CONFIG_HOME: join(folder, "config"), NODE_NO_WARNINGS: "1" };
const run = (script: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@behest/source", script, ...args],
    { cwd: folder, env, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${script} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
};

let failed = 0;
try {
  run(command, "init");
  run(
    command,
    "delegate",
    "--principal",
    "alice",
    "--task",
    "answer my mail",
    "--tool",
    "read_file(path=/notes/**)",
    "--tool",
    "send_mail(to=@example.com, subject=*, body=*)",
    "--out",
    "alice.json",
  );
  for (const [example, expected] of Object.entries(EXPECTED)) {
    const printed = run(join(here, example)).trimEnd();
    const same = printed === expected.join("\n");
    console.log(`${same ? "ok  " : "FAIL"} ${example}`);
    console.log(printed.replaceAll(/^/gm, "     "));
    if (!same) failed++;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
