// Runs the ladder as a user would: init, a delegation signed by Alice, then each example, in a folder of its own.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const here = import.meta.dirname;
const command = resolve(here, "../packages/behest/src/main.ts");

/** Each example, and what it prints. */
const EXPECTED: { readonly [example: string]: readonly string[] } = {
  "01-langchain.ts": ["alice agent read_file permit ok", "alice agent send_mail permit ok", "alice agent send_mail deny argument_not_granted"],
  "02-ai-sdk.ts": ["Done.", "alice agent read_file permit ok", "alice agent send_mail permit ok", "alice agent send_mail deny argument_not_granted"],
  "03-subagents.ts": [
    "alice notes_reader read_file permit ok",
    "alice notes_reader send_mail permit ok",
    "alice notes_reader send_mail deny argument_not_granted",
    "alice orchestrator disk_reader deny wider_than_parent",
  ],
  "04-resume.ts": ["the machine went down", "asked 2 times, 1 mail sent"],
  "05-spans.ts": ["execute_tool read_file permit signed", "execute_tool send_mail permit signed", "execute_tool send_mail deny signed", "invoke_agent agent"],
};

const folder = mkdtempSync(join(tmpdir(), "behest-examples-"));
const env = { ...process.env, XDG_CONFIG_HOME: join(folder, "config"), NODE_NO_WARNINGS: "1" };
const run = (script: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@behest/source", script, ...args], { cwd: folder, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`${script} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
  return stdout;
};

let failed = 0;
try {
  run(command, "init");
  run(command, "delegate", "--principal", "alice", "--task", "answer my mail", "--tool", "read_file(path=/notes/**)", "--tool", "send_mail(to=@example.com, subject=*, body=*)", "--out", "alice.json");
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
