import { existsSync } from "node:fs";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { requireLocal } from "../local.ts";
import { print, printJson } from "../output.ts";
import { requirePostgres, tenant } from "../postgres.ts";

interface Options {
  readonly from?: string;
  readonly toEnv: string;
  readonly json?: true;
}

export function migrate(program: Command): void {
  define(program, {
    name: "migrate",
    description: "move the store from its file to an empty one on PostgreSQL, proofs intact",
    example: "BEHEST_STORE=postgres://… behest migrate --from .behest/log.db",
  })
    .option("--from <file>", "the store (default: this folder's)")
    .option("--to-env <name>", "the environment variable that has the URL", "BEHEST_STORE")
    .action(run);
}

async function run({ from = requireLocal().store, toEnv, json }: Options): Promise<void> {
  const url = process.env[toEnv];
  if (!url) throw usage(`--to-env: ${toEnv} is not set. It has to hold the URL of the database.`);
  if (!existsSync(from)) throw new CliError("file_missing", `${from} is not there.`);
  const { migrateSqlite } = await requirePostgres(toEnv);
  const moved = await migrateSqlite(from, url, tenant());
  if (json) return printJson(moved);
  print(`${moved.entries} entries moved and compared; the log's head is ${moved.head}.`);
  print(`Put ${from} away, with the files beside it: nothing may be appended to it any more.`);
}
