import { readKeyFile } from "@behest/core";
import { DelegationError, type Explained, deriveDelegation, explain } from "@behest/delegation";
import type { Command } from "commander";
import { define } from "../command.ts";
import { readText } from "../file.ts";
import { parseTools } from "../grant/parse.ts";
import { readPublicKey } from "../key.ts";
import { requireLocal } from "../local.ts";
import { bad, bold, good, printJson, printTable } from "../output.ts";
import { type GrantOptions, expires, present, withGrantOptions } from "./grant-options.ts";
import { type RestrictionOptions, restrictionsOf, withRestrictionOptions } from "./restriction-options.ts";

interface Options extends GrantOptions, RestrictionOptions {
  readonly agent?: string;
  readonly key?: string;
  readonly narrow?: true;
  readonly explain?: true;
}

export function derive(program: Command): void {
  const command = define(program, {
    name: "derive",
    description: "make a narrower delegation, as its holder",
    example:
      "behest derive alice.json --tool 'send_mail(to=bob@example.com, subject=*, body=*)' --expires 5m",
  })
    .argument("<delegation>", "file, or - for standard input")
    .option("--task <text>", "what part of the task it is for")
    .option("--agent <name>", "what the sub-agent is called; never authority")
    .option("--expires <duration>", "30s, 5m, 1h, 7d (default: with its parent)", expires)
    .option("--narrow", "take what lies within the parent, instead of refusing what is wider")
    .option("--explain", "say what would be kept, narrowed or refused, and sign nothing")
    .option("--key <file>", "the parent's holder (default: this folder's agent)");
  withRestrictionOptions(withGrantOptions(command)).action(run);
}

async function run(parent: string, options: Options): Promise<void> {
  const { task, agent, expires: expiresIn, maxDepth } = options;
  const tools = parseTools(options.tool);
  const asked = {
    tools,
    ...(expiresIn !== undefined && { expiresIn }),
    ...(maxDepth !== undefined && { maxDepth }),
    ...restrictionsOf(options),
  };
  if (options.explain) return show(await explain(await readText(parent), asked), options);
  const key = readKeyFile(options.key ?? requireLocal().holder);
  const holder = options.holder === undefined ? key.jwk : await readPublicKey(options.holder);
  const claims = {
    ...asked,
    holder,
    ...(task !== undefined && { task }),
    ...(agent !== undefined && { agent }),
    ...(options.narrow && { narrow: true }),
  };
  try {
    present(await deriveDelegation(await readText(parent), claims, key), options);
  } catch (error) {
    if (options.json && DelegationError.isInstance(error) && error.wider)
      printJson({ refused: error.code, wider: error.wider });
    throw error;
  }
}

function show(places: readonly Explained[], { json }: Options): void {
  if (json) return printJson(places);
  const colour = { kept: good, narrowed: bold, refused: bad };
  printTable(
    ["result", "where", "parent", "asked for", "why"],
    places.map(({ path, result, parent, child, why }) => [colour[result](result), path, parent, child, why]),
  );
}
