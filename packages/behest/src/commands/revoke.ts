import { join } from "node:path";
import { type CutTarget, readKeyFile, signCut } from "@behest/core";
import type { Command } from "commander";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { usage } from "../error.ts";
import { bold, print, printJson } from "../output.ts";
import { clockTime } from "../time.ts";

interface Options {
  readonly principal?: string;
  readonly agent?: string;
  readonly holder?: string;
  readonly delegation?: string;
  readonly tenant?: string;
  readonly issuer?: string;
  readonly reason: string;
  readonly key?: string;
  readonly json?: true;
}

export function revoke(program: Command): void {
  define(program, {
    name: "revoke",
    description:
      "stop every agent below a person, an agent, a key, a delegation or a tenant, wherever it runs",
    example:
      "behest revoke --principal alice --reason 'left the company'\nbehest revoke --agent mailer --reason 'sends spam'",
  })
    .option("--principal <subject>", "all that acts on behalf of this person")
    .option("--agent <name>", "all agents of this name, and what they have started")
    .option("--holder <thumbprint>", "all that is bound to this key, for ever: it was lost", holderOf)
    .option("--delegation <jti>", "one delegation, and what was derived from it")
    .option("--tenant <name>", "all that acts for this tenant")
    .option("--issuer <iss>", "of the person or delegation, where several issuers name one so")
    .requiredOption("--reason <text>", "why; it stays with the cut, outside of the log")
    .option("--key <file>", "the revoker's key (default: the one that init made)")
    .action(run);
}

/** The person's side: it reads a revoker's key, and runs no agent. */
async function run(options: Options): Promise<void> {
  const target = targetOf(options);
  const { behest, keys } = await openLocal();
  await using _ = behest;
  const key = readKeyFile(options.key ?? join(keys, "revoker.jwk"));
  await behest.revoke(await signCut(target, { reason: options.reason }, key));
  const taken = (await behest.revocations()).at(-1)!;
  if (options.json) return printJson(taken);
  print(bold("revoked"), `; it stops ${taken.stops} of the delegations that the log has met.`);
  if (taken.stops === 0)
    print("Nothing that the log has met is concerned: is it written as behest records and inspect show it?");
  if (taken.before !== undefined)
    print(`What is delegated from ${clockTime((taken.before + 1) * 1000)} on is not concerned.`);
}

function holderOf(text: string): string {
  if (/^[A-Za-z0-9_-]{43}$/.test(text)) return text;
  throw usage("--holder: write the 43 characters of a thumbprint, as behest keys and inspect print them.");
}

function targetOf({ principal, agent, holder, delegation, tenant, issuer }: Options): CutTarget {
  const of = issuer === undefined ? {} : { issuer };
  const targets: readonly CutTarget[] = [
    ...(principal === undefined ? [] : [{ principal, ...of }]),
    ...(agent === undefined ? [] : [{ agent }]),
    ...(holder === undefined ? [] : [{ holder }]),
    ...(delegation === undefined ? [] : [{ delegation, ...of }]),
    ...(tenant === undefined ? [] : [{ tenant }]),
  ];
  const [target] = targets;
  if (!target || targets.length > 1)
    throw usage("revoke: name one of --principal, --agent, --holder, --delegation, --tenant.");
  if (issuer !== undefined && !("issuer" in target))
    throw usage("--issuer: it goes with --principal or --delegation.");
  return target;
}
