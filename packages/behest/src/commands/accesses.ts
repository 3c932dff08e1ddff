import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { print, printJson, printTable } from "../output.ts";
import { clockTime } from "../time.ts";

export function accesses(program: Command): void {
  define(program, {
    name: "accesses",
    description: "who was shown records or evidence, where --as was given",
    example: "behest records --principal alice --as dora\nbehest accesses",
  }).action(run);
}

async function run({ json }: { readonly json?: true }): Promise<void> {
  const { behest } = await openLocal();
  await using _ = behest;
  const found = await behest.accesses();
  if (json) return printJson(found);
  if (found.length === 0) return print("Nobody was shown anything that the log says.");
  printTable(
    ["entry", "time", "who", "what", "of whom"],
    found.map(({ index, at, by, what, principals }) => [
      `#${index}`,
      clockTime(at),
      by,
      what,
      principals.join(", ") || "-",
    ]),
  );
}
