import type { Erasure, Remaining } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { bad, bold, print, printJson } from "../output.ts";
import { clockTime } from "../time.ts";

interface Options {
  readonly principal: string;
  readonly issuer?: string;
  readonly reason: string;
  readonly despiteRetention?: true;
  readonly keepCuts?: true;
  readonly json?: true;
}

export function erase(program: Command): void {
  define(program, {
    name: "erase",
    description: "destroy for ever what is kept of a person; every proof still verifies",
    example: "behest erase --principal alice --reason 'asked by letter of 20 November'",
  })
    .requiredOption("--principal <subject>", "whom: the subject that delegations name")
    .requiredOption("--reason <text>", "why; only a commitment to it is recorded")
    .option("--issuer <iss>", "only what this issuer asserts, where several name one so")
    .option("--despite-retention", "also what is younger than has to be kept; the log says so")
    .option("--keep-cuts", "also where a revocation that is in force names the person, and stays")
    .action(run);
}

async function run({ json, ...request }: Options): Promise<void> {
  const { behest } = await openLocal();
  await using _ = behest;
  const done = await behest.erase(request);
  if (json) return printJson(done);
  told(done);
}

function told({ index, principals, early, reason, remains }: Erasure): void {
  const what = principals.length === 1 ? "what was kept" : `what was kept under ${principals.length} names`;
  print(
    bold("erased"),
    `: ${what}. Entry #${index} says so${early ? ", and that it was before its time" : ""}.`,
  );
  print(`To show the reason later, keep it with this salt: ${reason.salt}`);
  for (const one of remains) print(bad("still there: "), REMAINS[one.what](one as never));
}

const REMAINS: { readonly [what in Remaining["what"]]: (one: Extract<Remaining, { what: what }>) => string } =
  {
    cut: ({ until }) =>
      `a revocation that names the person, until ${clockTime(until * 1000)}; then it is emptied by itself.`,
    manifest: () =>
      "the trust manifest names the person as one whom an issuer may assert. It is in the log and stays there.",
    journal: () =>
      "what the database keeps for its own recovery. SQLite's journal was in use, and is emptied within moments or by whoever starts next; PostgreSQL's dead rows go with the next vacuum, its log as it is recycled.",
  };
