import type { CutTarget, Revocation } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { print, printJson, printTable } from "../output.ts";
import { clockTime } from "../time.ts";

export function revocations(program: Command): void {
  define(program, {
    name: "revocations",
    description: "what is revoked, and what that stops now",
    example: "behest revocations",
  }).action(run);
}

async function run({ json }: { readonly json?: true }): Promise<void> {
  const { behest } = await openLocal();
  await using _ = behest;
  const found = await behest.revocations();
  if (json) return printJson(found);
  if (found.length === 0) return print("Nothing is revoked.");
  printTable(
    ["what", "for roots up to", "stops", "by", "reason"],
    found.map(({ target, before, stops, revoker, reason }: Revocation) => [
      named(target),
      before === undefined ? "any date" : clockTime(before * 1000),
      String(stops),
      revoker.slice(0, 10),
      reason,
    ]),
  );
}

function named(target: CutTarget): string {
  const [[kind, name] = ["", ""]] = Object.entries(target);
  return `${kind} ${name}`;
}
