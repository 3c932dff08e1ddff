import type { Pruned } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { bad, bold, print, printJson } from "../output.ts";
import { clockTime, moment } from "../time.ts";

interface Options {
  readonly before: number;
  readonly dryRun?: true;
  readonly json?: true;
}

export function prune(program: Command): void {
  define(program, {
    name: "prune",
    description: "destroy the text of old entries that nothing needs any more; every proof still verifies",
    example: "behest prune --before 400d --dry-run\nbehest prune --before 2026-01-01",
  })
    .requiredOption(
      "--before <time>",
      "what was recorded before: 400d (ago), 2026-01-01, 2026-01-01T08:00Z",
      (text) => moment("--before", text),
    )
    .option("--dry-run", "count what would go, and change nothing")
    .action(run);
}

async function run({ before, dryRun, json }: Options): Promise<void> {
  const { behest } = await openLocal();
  await using _ = behest;
  const done = await behest.prune({ before, ...(dryRun && { dryRun }) });
  if (json) return printJson({ before: new Date(before).toISOString(), ...done });
  told(done, before, dryRun === true);
}

function told({ counts, indexes, remains }: Pruned, before: number, dryRun: boolean): void {
  const { action, outcome, interaction, delegation } = counts;
  const entries = action + outcome + interaction + delegation;
  const when = `recorded before ${clockTime(before)}`;
  if (entries === 0) return print(`Nothing ${when} can go.`);
  print(
    bold(dryRun ? "would be pruned" : "pruned"),
    `: ${entries} entries ${when}: ${action} actions, ${outcome} outcomes, ${interaction} model turns, ${delegation} delegations.`,
  );
  if (dryRun) return;
  const [first] = indexes;
  print(
    indexes.length === 1 ? `Entry #${first} says so.` : `${indexes.length} entries from #${first} on say so.`,
  );
  if (remains.length > 0)
    print(
      bad("still there: "),
      "what the database keeps for its own recovery. SQLite's journal was in use, and is emptied within moments or by whoever starts next; PostgreSQL's dead rows go with the next vacuum, its log as it is recycled.",
    );
}
