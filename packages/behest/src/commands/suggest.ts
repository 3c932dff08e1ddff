import type { Json } from "@behest/delegation";
import type { Command } from "commander";
import { define } from "../command.ts";
import { printTool } from "../grant/print.ts";
import { print, printJson } from "../output.ts";
import { members } from "../policy/action.ts";
import { declaration, forbidding } from "../policy/cedar-text.ts";
import { propose } from "../policy/propose.ts";
import { withStore } from "../store.ts";
import { moment } from "../time.ts";

interface Options {
  readonly tool?: string;
  readonly since?: number;
  readonly store?: string;
  readonly json?: true;
}

export function suggest(group: Command): void {
  define(group, {
    name: "suggest",
    description: "grants and policies for what agents did, from their recorded arguments",
    example: "behest policy suggest --since 7d",
  })
    .option("--tool <name>", "of this tool alone")
    .option("--since <time>", "1h (ago), 2026-11-20", (text) => moment("--since", text))
    .option("--store <file>", "the store (default: this folder's)")
    .action(run);
}

type Args = { readonly [name: string]: Json };

async function run({ tool, since, store, json }: Options): Promise<void> {
  const filter = {
    verdict: "permit",
    ...(tool !== undefined && { tool }),
    ...(since !== undefined && { since }),
  } as const;
  const { calls, gone } = await withStore(store, async (reader) => {
    const seen = new Map<string, Args[]>();
    let unread = 0;
    for (const { index, tool: name } of await reader.records(filter)) {
      const args = (await reader.record(index))?.content["args"];
      if (args === undefined) unread++;
      else seen.set(name, [...(seen.get(name) ?? []), members(args) ?? { input: args }]);
    }
    return { calls: seen, gone: unread };
  });
  const suggestions = [...calls].map(([name, given]) => {
    const map = propose(given);
    const policy = forbidding(name, map, given);
    return {
      tool: name,
      calls: given.length,
      grant: printTool(name, map),
      schema: declaration(name, given),
      policy,
    };
  });
  if (json) return printJson({ suggestions, withoutArguments: gone });
  for (const { tool: name, calls: count, grant, schema, policy } of suggestions) {
    const lines = [`# ${name}, from ${count} calls`, `--tool '${grant.replaceAll("'", "'\\''")}'`];
    for (const part of [...lines, ...schema.split("\n"), ...(policy?.split("\n") ?? [])]) print(part);
    print();
  }
  if (suggestions.length === 0) print("Nothing to suggest from.");
  if (gone > 0)
    print(
      `Of ${gone} actions the arguments are not known: keep them with createBehest({ content: "keep" }).`,
    );
}
