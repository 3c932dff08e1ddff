import type { ApprovalStats } from "@behest/core";
import { print, printJson, printTable } from "../output.ts";

const ADVICE = {
  always_approved: "approved nearly always: narrow the rule, or approve plans",
  too_fast: "decided within two seconds: nobody reads it",
} as const;

export function showStats(stats: ApprovalStats, json: boolean): void {
  if (json) return printJson(stats);
  if (stats.asked === 0) return print("Nobody was ever asked.");
  print(`${stats.asked} asked in ${stats.runs} runs, ${stats.approved} approved, ${stats.denied} denied`);
  printTable(
    ["rule", "asked", "approved", "denied", "median", "flags"],
    stats.rules.map(({ rule, asked, approved, denied, median, flags }) => [
      rule,
      String(asked),
      String(approved),
      String(denied),
      median === undefined ? "-" : `${(median / 1000).toFixed(1)} s`,
      flags.map((flag) => ADVICE[flag]).join("; "),
    ]),
  );
}
