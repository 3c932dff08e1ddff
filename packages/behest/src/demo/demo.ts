import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Reader, readStore, sqliteStore } from "@behest/core";
import { verifyLog } from "@behest/provenance";
import { CliError } from "../error.ts";
import { type Cell, bad, bold, dim, good, print, printFacts } from "../output.ts";
import { chooseModels } from "./models.ts";
import { type AgentNode, agentTree, treeLines } from "./tree.ts";
import type { Effect } from "./world.ts";

const EXTENSION = extname(fileURLToPath(import.meta.url));
const file = (name: string): string => fileURLToPath(new URL(`${name}${EXTENSION}`, import.meta.url));

/** The agent process is killed when this agent's model is about to be asked for this turn. */
const DIE_AT = "reporter:2";

const TOOLS = [
  "read_mail(*)",
  "send_mail(to=@example.com, subject=*, body=*)",
  "list_customers(*)",
  "file_report(*)",
];

export interface DemoResult {
  readonly folder: string;
  readonly tree: readonly AgentNode[];
  readonly effects: readonly Effect[];
  /** Effects that happened more than once. */
  readonly twice: number;
  readonly verified: boolean;
}

/** The main job in one go: delegate, spawn, refuse, be killed, resume, verify. Throws `demo_failed`. */
export async function runDemo(say: (...cells: Cell[]) => void): Promise<DemoResult> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "behest-demo-")));
  const inside = join(folder, ".behest");
  say(bold("One delegation, two frameworks, one record"));
  say(dim("  models    "), chooseModels(process.env, () => {}).name);
  behest(folder, "init", "--keys", `${folder}-keys`);
  const tools = TOOLS.flatMap((tool) => ["--tool", tool]);
  behest(
    folder,
    "delegate",
    "--principal",
    "alice",
    "--task",
    "answer my mail, report on customers",
    ...tools,
    "--out",
    join(inside, "alice.json"),
  );
  say(dim("  alice     "), "signs: read_mail, send_mail inside @example.com, list_customers, file_report");
  say(
    dim("  agents    "),
    "orchestrator (LangChain) spawns reader (LangChain) and reporter (AI SDK), each with less",
  );

  const killed = await agents(inside, DIE_AT);
  if (killed.signal !== "SIGKILL")
    throw failed(
      `the agents were to be killed in the middle, and ended with ${killed.code}: ${killed.output}`,
    );
  say(dim("  killed    "), "in the middle (SIGKILL), and started again: nothing is asked or done twice");
  const resumed = await agents(inside);
  if (resumed.code !== 0) throw failed(resumed.output);
  say(dim("  answer    "), resumed.output.trim());

  const effects = readFileSync(join(inside, "effects.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Effect);
  const twice = effects.length - new Set(effects.map(({ tool, what }) => `${tool} ${what}`)).size;
  const reader = readStore(sqliteStore(join(inside, "log.db")));
  const tree = await agentTree(reader);
  const verified = await verify(reader, inside);
  await reader.close();
  return { folder, tree, effects, twice, verified };
}

/** Prints what happened: the tree, the verdicts, the log's verification, and how to look further. */
export async function demo(): Promise<void> {
  const result = await runDemo(print);
  print();
  print(bold("Who acted at whose behest"));
  const lines = treeLines(result.tree);
  const width = Math.max(...lines.map(({ name }) => name.length)) + 2;
  for (const { name, verdict, result: ended } of lines) {
    if (verdict === undefined) print(name);
    else print(name.padEnd(width), (verdict === "permit" ? good : bad)(verdict.padEnd(8)), ended ?? "");
  }
  print();
  print(bold("What the world saw"));
  const outside = result.effects.filter(
    ({ tool, what }) => tool === "send_mail" && !what.endsWith("@example.com"),
  ).length;
  printFacts([
    [
      "  effects",
      `${result.effects.length}, of which ${result.twice} twice and ${outside} outside what alice signed`,
    ],
    ["  log", result.verified ? good("verified from the pinned owner, entry by entry") : bad("NOT verified")],
  ]);
  print();
  print(bold("Look further"));
  print(`  cd ${result.folder}`);
  // Node and its conditions as they run now: a shell may know another Node, and no command of this name.
  print(`  alias behest='${[process.execPath, ...process.execArgv, file("../main")].join(" ")}'`);
  for (const command of ["records", "verify", "inspect .behest/alice.json", "coverage"])
    print(`  behest ${command}`);
  if (!result.verified || result.twice > 0 || outside > 0)
    throw failed("what happened is not what was delegated, or not what was recorded.");
}

async function verify(reader: Reader, inside: string): Promise<boolean> {
  const { owner } = JSON.parse(readFileSync(join(inside, "config.json"), "utf8")) as { owner: string };
  const report = await verifyLog({ entries: reader.entries(), checkpoint: await reader.checkpoint(), owner });
  return report.ok;
}

/** One of our own commands, as a user would call it. */
function behest(folder: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [...process.execArgv, file("../main"), ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw failed(stderr.trim());
}

interface AgentsEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** The process that runs the agents: it holds no key that issues, and is another one than this. */
function agents(inside: string, dieAt?: string): Promise<AgentsEnd> {
  return new Promise((resolve, reject) => {
    const args = [...process.execArgv, file("./run"), inside, ...(dieAt === undefined ? [] : [dieAt])];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, output }));
  });
}

function failed(why: string): CliError {
  return new CliError("demo_failed", why);
}
