import { readFileSync } from "node:fs";
import { CodedError } from "@behest/jws";
import { Command, CommanderError } from "commander";
import { accesses } from "./commands/accesses.ts";
import { approve } from "./commands/approve.ts";
import { coverage } from "./commands/coverage.ts";
import { delegate } from "./commands/delegate.ts";
import { demo } from "./commands/demo.ts";
import { derive } from "./commands/derive.ts";
import { evidence } from "./commands/evidence.ts";
import { init } from "./commands/init.ts";
import { erase } from "./commands/erase.ts";
import { hold } from "./commands/hold.ts";
import { inspect } from "./commands/inspect.ts";
import { keys } from "./commands/keys.ts";
import { migrate } from "./commands/migrate.ts";
import { policy } from "./commands/policy.ts";
import { prune } from "./commands/prune.ts";
import { records } from "./commands/records.ts";
import { revocations } from "./commands/revocations.ts";
import { revoke } from "./commands/revoke.ts";
import { trust } from "./commands/trust.ts";
import { verify } from "./commands/verify.ts";
import { spans } from "./commands/verify-spans.ts";
import { witness } from "./commands/witness.ts";
import { idsLast } from "./ids.ts";
import { printable } from "./printable.ts";

/** Each adds itself to the program; in the order of the help. */
const COMMANDS: readonly ((program: Command) => void)[] = [
  init,
  trust,
  keys,
  delegate,
  derive,
  inspect,
  approve,
  revoke,
  revocations,
  records,
  verify,
  spans,
  evidence,
  witness,
  accesses,
  erase,
  hold,
  prune,
  coverage,
  migrate,
  policy,
  demo,
];

const USAGE: ReadonlySet<string> = new Set(["usage", "malformed_tool", "malformed_time"]);

const ENVIRONMENT = `
Environment:
  BEHEST_STORE   postgres://… of the store that several machines share, in
                 place of this folder's
  BEHEST_TENANT  its tenant, where it has several
  BEHEST_FEED    postgres://… of a feed of revocations that machines share`;

/** Runs one command. Answers with the exit code: 0 ok, 1 refused or failed verification, 2 usage. */
export async function run(args: readonly string[]): Promise<number> {
  quiet();
  const program = new Command("behest")
    .description("At whose behest did this agent act? Keys, delegations, records and their verification.")
    .version(version(), "--version", "print the version")
    .helpCommand(false)
    .addHelpText("after", ENVIRONMENT)
    .configureOutput({ writeErr: () => {} })
    .exitOverride();
  for (const add of COMMANDS) add(program);
  if (args.length === 0) {
    program.outputHelp();
    return 2;
  }
  try {
    await program.parseAsync(idsLast(typed(program, args).at(-1), args), { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    const { code, message } = told(error);
    const names = typed(program, args).map((command) => command.name());
    const hint = code === "usage" ? ` See "${["behest", ...names, "--help"].join(" ")}".` : "";
    process.stderr.write(`${printable(`${code}: ${message}`)}${hint}\n`);
    return USAGE.has(code) ? 2 : 1;
  }
}

/** The command that was typed, and the one within it. */
function typed(program: Command, [first, second]: readonly string[]): Command[] {
  const group = program.commands.find((command) => command.name() === first);
  const within = group?.commands.find((command) => command.name() === second);
  return [group, within].filter((command) => command !== undefined);
}

/** Code and message of any error, on one line; of one that nobody foresaw, nothing that it quotes. */
function told(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof CommanderError) return { code: "usage", message: withoutValues(error) };
  if (CodedError.isInstance(error)) {
    const { code, message } = error;
    const text = message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
    return { code, message: text.replaceAll(/\s*\n\s*/g, " ") };
  }
  const { name, code } = error as NodeJS.ErrnoException;
  return {
    code: "internal_error",
    message: `${code ?? name ?? "unknown"}. This is a fault of behest: please report it.`,
  };
}

/** Commander quotes what was typed, which may be a token: of that only what looks like an option or a command is kept. */
function withoutValues({ code, message }: CommanderError): string {
  const text = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  switch (code) {
    case "commander.unknownOption":
    case "commander.unknownCommand": {
      const what = code === "commander.unknownOption" ? "option" : "command";
      const name = /'(-{0,2}[a-z][a-z-]{0,20})[='].*?(\(Did you mean [a-z -]+\?\))?$/.exec(text);
      return `unknown ${what}${name ? ` ${name[1]}` : ""}${name?.[2] ? ` ${name[2]}` : ""}.`;
    }
    case "commander.help":
      return "which of its commands?";
    case "commander.excessArguments":
      return `${/^[^:]*/.exec(text)![0]}.`;
    default:
      return `${text}.`;
  }
}

/** Node announces that SQLite is young on some versions; what others warn of is told on one line. */
function quiet(): void {
  process.removeAllListeners("warning");
  process.on("warning", ({ name, message }) => {
    if (name !== "ExperimentalWarning") process.stderr.write(`warning: ${printable(message)}\n`);
  });
  // Whoever reads along (head, less) may stop before the end.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(0);
  });
}

function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
