import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import {
  type Approval,
  type Behest,
  type Mandate,
  type Override,
  readKeyFile,
  signDecision,
  signMandate,
  signOverride,
} from "@behest/core";
import type { Signer } from "@behest/delegation";
import type { Command } from "commander";
import {
  type AheadOptions,
  describeAhead,
  isMandate,
  mandateOf,
  overrideOf,
  showAhead,
} from "../approve/ahead.ts";
import { showStats } from "../approve/stats.ts";
import { atLeast, chosen, describe, planOf, showWaiting } from "../approve/waiting.ts";
import { define } from "../command.ts";
import { openLocal } from "../deployment.ts";
import { CliError, usage } from "../error.ts";
import { bold, print, printJson } from "../output.ts";
import { expires } from "./grant-options.ts";
import { limits } from "./restriction-options.ts";

interface Options extends AheadOptions {
  readonly deny?: true;
  readonly run?: string;
  readonly key?: string;
  readonly yes?: true;
  readonly mandates?: true;
  readonly stats?: true;
  readonly json?: true;
}

export function approve(program: Command): void {
  define(program, {
    name: "approve",
    description: "what waits for a person; decide on it, or ahead of it, as an approver",
    example: `behest approve
behest approve Qm3zR1x
behest approve Qm3zR1x --deny --reason 'wrong account'
behest approve --run invoices
behest approve --mandate me.json --tool 'pay(amount=..50, currency=EUR, *)' --limit '10 calls' --group approvers
behest approve --break-glass me.json --reason 'the gateway is down' --expires 30m`,
  })
    .argument(
      "[ids...]",
      "of what waits, or their beginnings (after -- where one begins with -): one signature for all (default: list all)",
    )
    .option("--deny", "deny it; one denial is final, and ends a mandate or an override")
    .option("--reason <text>", "why, for the record")
    .option("--group <name>", "for which of your groups, where it waits for several")
    .option("--run <id>", "all that waits in a run")
    .option("--key <file>", "the approver's key (default: the one that init made)")
    .option("--mandate <delegation>", "approve ahead what is done under it, as far as --tool and --limit go")
    .option("--break-glass <delegation>", "lift what policies stop under it, for an hour at most")
    .option(
      "--tool <tool>",
      "what a mandate covers, as delegate takes it; a tool's name for break-glass",
      collect,
    )
    .option("--limit <limit>", 'of a mandate: "10 calls", "200.00 EUR"; repeatable', limits)
    .option("--expires <duration>", "30s, 5m, 1h, 7d (default: 1h)", expires)
    .option("--policy <folder>", "the policies under which a mandate holds, or grants-alone", "default")
    .option("--mandates", "what was signed ahead and is in force")
    .option("--stats", "how often persons are asked and how they answer, by rule")
    .option("--yes", "sign without asking, after it was shown")
    .action(run);
}

/** The person's side: it reads an approver's key, and runs no agent. */
async function run(ids: readonly string[], options: Options): Promise<void> {
  // Nothing is decided here by policies: what persons sign names those that it was asked under.
  const { behest, keys } = await openLocal();
  await using _ = behest;
  const { approvals } = behest;
  const { group, json = false } = options;
  const key = (): Signer => readKeyFile(options.key ?? join(keys, "approver.jwk"));
  if (options.stats) return showStats(await approvals.stats(), json);
  if (options.mandates) return showAhead(await approvals.ahead(), json);
  if (options.mandate !== undefined) return await signAhead(behest, await mandateOf(options), options, key);
  if (options.breakGlass !== undefined)
    return await signAhead(behest, await overrideOf(options), options, key);
  const waiting = await approvals.list({
    ...(group !== undefined && { group }),
    ...(options.run !== undefined && { run: options.run }),
    // What is approved, and has not begun, can be denied.
    ...(options.deny && { approved: true }),
  });
  if (ids.length === 0 && options.run === undefined) return showWaiting(waiting, json);
  const ahead = await aheadOf(behest, ids);
  if (ahead) return await signAhead(behest, ahead, options, key);
  const plan = ids.length === 0 ? planOf(waiting) : ids.map((id) => chosen(waiting, id));
  return await decide(behest, plan, options, key);
}

/** By its id, what somebody else has signed ahead. */
async function aheadOf(
  { approvals }: Behest,
  ids: readonly string[],
): Promise<Mandate | Override | undefined> {
  const [id] = ids;
  if (id === undefined || ids.length > 1) return undefined;
  const { mandates, overrides } = await approvals.ahead();
  const found = [
    ...mandates.map((one) => ({ id: one.id, what: one.mandate })),
    ...overrides.map((one) => ({ id: one.id, what: one.override })),
  ].filter((one) => one.id.startsWith(atLeast(id)));
  if (found.length > 1) throw usage("approve: more than one id begins so.");
  return found[0]?.what;
}

async function decide(
  { approvals }: Behest,
  plan: readonly Approval[],
  options: Options,
  key: () => Signer,
): Promise<void> {
  const decision = options.deny ? "deny" : "approve";
  if (!options.json) for (const one of plan) describe(one);
  if (!options.yes) await confirm(decision, plan.length);
  const said = { decision, ...(options.reason !== undefined && { reason: options.reason }) } as const;
  const ids = plan.map(({ id }) => id);
  await approvals.submit(ids, await signDecision(plan, said, key()));
  const { group } = plan[0]!;
  if (options.json) return printJson({ ids, decision, group });
  print(decision === "approve" ? bold("approved") : bold("denied"), `, for ${group}`);
}

async function signAhead(
  { approvals }: Behest,
  what: Mandate | Override,
  options: Options,
  key: () => Signer,
): Promise<void> {
  const decision = options.deny ? "deny" : "approve";
  if (!options.json) describeAhead(what);
  if (!options.yes) await confirm(decision, 1);
  await approvals.submitAhead(
    isMandate(what)
      ? await signMandate(what, { decision }, key())
      : await signOverride(what, { decision }, key()),
  );
  const id = isMandate(what) ? what.about.terms : what.about.reason;
  if (options.json) return printJson({ id, decision });
  print(decision === "approve" ? bold("signed") : bold("ended"), `: ${id.slice(0, 10)}`);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

async function confirm(decision: "approve" | "deny", actions: number): Promise<void> {
  if (!process.stdin.isTTY) throw usage("approve: nobody is there to ask. Look at it, then add --yes.");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const what = actions === 1 ? `"${decision}"` : `"${decision}" for all ${actions}`;
    const answer = await lines.question(`Sign ${what}? Write yes: `);
    if (answer.trim() !== "yes") throw new CliError("not_signed", "nothing was signed.");
  } finally {
    lines.close();
  }
}
