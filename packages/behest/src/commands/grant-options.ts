import { DEFAULT_LIMITS, type Delegation, type Duration } from "@behest/delegation";
import type { Command } from "commander";
import { usage } from "../error.ts";
import { writeNew } from "../file.ts";
import { readHops } from "../hop.ts";
import { printFacts, printJson } from "../output.ts";
import { duration, relative } from "../time.ts";

/** What `delegate` and `derive` have in common. */
export interface GrantOptions {
  readonly tool: readonly string[];
  readonly task?: string;
  readonly expires?: Duration;
  readonly maxDepth?: number;
  readonly holder?: string;
  readonly out?: string;
  readonly json?: true;
}

const GRAMMAR = `
A tool and what its arguments may be; an argument that is not named is forbidden:
  name(*)                     any arguments
  name(a=rule, b?=rule)       these; b may be left out
  name(a=rule, *)             a, and any others
Rules:
  *                  any value           @example.com         address of that domain
  50  true  word     that very value     user@example.com     that address
  "two words"        that very text      /folder/**           path below the folder
  a|b|c              one of these        https://host/path*   URL at or below it
  !a|b               anything but these  text*                text that begins so
  10..50  ..50  10.. from, to            https://*.host.example/*  its subdomains
  decimal:1.50..     exact amounts       [a|b]                list of nothing but these`;

export function withGrantOptions(command: Command): Command {
  return command
    .requiredOption("--tool <grant>", "a tool and its arguments, see below; repeatable", collect)
    .option("--max-depth <count>", "how deep it may be handed on", depth)
    .option(
      "--holder <jwk>",
      "key that it is bound to: a JWK or a file with one (default: this folder's agent)",
    )
    .option("--out <file>", "write it to a new file (default: standard output)")
    .addHelpText("after", GRAMMAR);
}

export function expires(text: string): Duration {
  return duration("--expires", text);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function depth(text: string): number {
  const count = /^[0-9]$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= DEFAULT_LIMITS.maxDelegationDepth))
    throw usage(`--max-depth: write a number from 0 to ${DEFAULT_LIMITS.maxDelegationDepth}.`);
  return count;
}

/** The delegation on standard output, or in a new file and a line about it. */
export function present(delegation: Delegation, { out, json }: GrantOptions): void {
  const text = JSON.stringify({ chain: delegation.chain });
  if (out === undefined) return void process.stdout.write(`${text}\n`);
  writeNew(out, `${text}\n`);
  const { jti, exp, holder, tools } = readHops(delegation).at(-1)!;
  const names = Object.keys(tools);
  if (json) return printJson({ file: out, jti, holder, exp, tools: names });
  printFacts([
    ["wrote", out],
    ["tools", names.join(", ")],
    ["expires", relative(exp)],
    ["holder", holder],
  ]);
}
