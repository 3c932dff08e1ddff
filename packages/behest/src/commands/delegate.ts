import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { findLocal, readKeyFile } from "@behest/core";
import { type Duration, issueDelegation } from "@behest/delegation";
import { parseJson } from "@behest/jws";
import { verifyUnder } from "@behest/evidence";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { parseTools } from "../grant/parse.ts";
import { readPublicKey } from "../key.ts";
import { readManifest, requireLocal } from "../local.ts";
import { type GrantOptions, expires, present, withGrantOptions } from "./grant-options.ts";
import { type RestrictionOptions, restrictionsOf, withRestrictionOptions } from "./restriction-options.ts";

interface Options extends GrantOptions, RestrictionOptions {
  readonly task: string;
  readonly principal?: string;
  readonly tenant?: string;
  readonly agent?: string;
  readonly expires: Duration;
  readonly keys?: string;
}

export function delegate(program: Command): void {
  const command = define(program, {
    name: "delegate",
    description: "sign a delegation, as the person whose agent it is",
    example: `behest delegate --principal alice --task "Answer my mail" --tool 'send_mail(to=@example.com, subject=*, body=*)' --expires 1h --out alice.json`,
  })
    .requiredOption("--task <text>", "what the agent is asked to do")
    .option("--principal <subject>", "on whose behalf (default: your user name)")
    .option("--tenant <name>", "which of the issuer's tenants the principal belongs to")
    .option("--agent <name>", "what the agent is called; never authority")
    .option("--expires <duration>", "30s, 5m, 1h, 7d; at most 90d", expires, "1h");
  withRestrictionOptions(withGrantOptions(command))
    .option("--keys <folder>", "the issuer's key, where it is not where init put it")
    .action(run);
}

/** The person's side: it reads the issuer's key, and runs no agent. */
async function run(options: Options): Promise<void> {
  const tools = parseTools(options.tool);
  // Elsewhere than where agents run, both are named, and there is no manifest to compare with.
  const local = options.keys !== undefined && options.holder !== undefined ? findLocal() : requireLocal();
  const folder = resolve(options.keys ?? local!.keys);
  const issuer = readKeyFile(join(folder, "issuer.jwk"));
  const holder =
    options.holder === undefined ? readKeyFile(local!.holder).jwk : await readPublicKey(options.holder);
  const delegation = await issueDelegation(
    {
      issuer: readIss(join(folder, "issuer.json")),
      holder,
      principal: options.principal ?? userName(),
      task: options.task,
      ...(options.tenant !== undefined && { tenant: options.tenant }),
      ...(options.agent !== undefined && { agent: options.agent }),
      tools,
      expiresIn: options.expires,
      ...(options.maxDepth !== undefined && { maxDepth: options.maxDepth }),
      ...restrictionsOf(options),
    },
    issuer,
  );
  if (local) await verifyUnder(await readManifest(local), delegation);
  present(delegation, options);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    throw usage("--principal: this system does not say who you are. Name the principal.");
  }
}

/** Throws `config_invalid`. */
function readIss(path: string): string {
  try {
    const { iss } = parseJson(readFileSync(path, "utf8")) as { iss?: unknown };
    if (typeof iss === "string") return iss;
  } catch (cause) {
    throw new CliError("config_invalid", `${path} cannot be read as {"iss": …}.`, { cause });
  }
  throw new CliError("config_invalid", `${path} has no "iss".`);
}
