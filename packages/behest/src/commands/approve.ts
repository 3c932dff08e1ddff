import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import {
  type Approval,
  type ApprovalStats,
  createBehest,
  readKeyFile,
  signDecision,
  sqliteStore,
} from "@behest/core";
import { canonical } from "@behest/jws";
import type { Command } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { readManifest, requireLocal } from "../local.ts";
import { bold, print, printFacts, printJson, printTable } from "../output.ts";
import { clockTime, relative } from "../time.ts";

interface Options {
  readonly deny?: true;
  readonly reason?: string;
  readonly group?: string;
  readonly key?: string;
  readonly yes?: true;
  readonly stats?: true;
  readonly json?: true;
}

export function approve(program: Command): void {
  define(program, {
    name: "approve",
    description: "what waits for a person; decide on it, as an approver",
    example: "behest approve\nbehest approve Qm3zR1x\nbehest approve Qm3zR1x --deny --reason 'wrong account'",
  })
    .argument("[id]", "of what waits, or its beginning (default: list all)")
    .option("--deny", "deny it; one denial is final")
    .option("--reason <text>", "why, for the record")
    .option("--group <name>", "for which of your groups, where it waits for several")
    .option("--key <file>", "the approver's key (default: the one that init made)")
    .option("--stats", "how often persons are asked and how they answer, by rule")
    .option("--yes", "sign without asking, after it was shown")
    .action(run);
}

/** The person's side: it reads an approver's key, and runs no agent. */
async function run(id: string | undefined, options: Options): Promise<void> {
  const local = requireLocal();
  // Refused here, it is told as everywhere else in the command.
  await readManifest(local);
  await using behest = await createBehest({
    trust: { owner: local.owner, manifest: readFileSync(local.manifest, "utf8") },
    signer: readKeyFile(local.signer),
    store: sqliteStore(local.store),
  });
  if (options.stats) return showStats(await behest.approvals.stats(), options);
  const waiting = await behest.approvals.list(options.group === undefined ? {} : { group: options.group });
  if (id === undefined) return show(waiting, options);
  const approval = chosen(waiting, id);
  const decision = options.deny ? "deny" : "approve";
  if (!options.json) describe(approval);
  if (!options.yes) await confirm(decision);
  const key = readKeyFile(options.key ?? join(local.keys, "approver.jwk"));
  const said = { decision, ...(options.reason !== undefined && { reason: options.reason }) } as const;
  await behest.approvals.submit(approval.id, await signDecision(approval, said, key));
  if (options.json) return printJson({ id: approval.id, decision, group: approval.group });
  print(decision === "approve" ? bold("approved") : bold("denied"), `, for ${approval.group}`);
}

function show(waiting: readonly Approval[], { json }: Options): void {
  if (json) return printJson(waiting);
  if (waiting.length === 0) return print("Nothing waits.");
  printTable(
    ["id", "group", "need", "principal", "agent", "tool", "arguments", "until"],
    waiting.map(({ id, group, need, principal, agent, tool, args, expires }) => [
      id.slice(0, 10),
      group,
      String(need),
      principal,
      agent,
      tool,
      canonical(args),
      clockTime(expires),
    ]),
  );
}

const ADVICE = {
  always_approved: "approved nearly always: narrow the rule, or approve plans",
  too_fast: "decided within two seconds: nobody reads it",
} as const;

function showStats(stats: ApprovalStats, { json }: Options): void {
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

function chosen(waiting: readonly Approval[], id: string): Approval {
  if (id.length < 6) throw usage("approve: write at least 6 characters of the id.");
  const found = waiting.filter((one) => one.id.startsWith(id));
  const [approval, other] = found;
  if (!approval)
    throw new CliError("approval_missing", "nothing waits under this id: it was decided, or has expired.");
  if (!other) return approval;
  throw usage(
    other.id === approval.id
      ? `approve: it waits for ${found.map(({ group }) => group).join(" and ")}. Name your --group.`
      : "approve: more than one id begins so.",
  );
}

/** Everything that a signature covers, whole. */
function describe({ tool, args, why, principal, agent, group, need, expires }: Approval): void {
  printFacts([
    ["tool", bold(tool)],
    ["arguments", canonical(args)],
    ["for", principal],
    ["by", agent],
    ["why", why],
    ["group", `${group} (${need} ${need === 1 ? "person" : "persons"})`],
    ["until", `${clockTime(expires)} (${relative(Math.floor(expires / 1000))})`],
  ]);
}

async function confirm(decision: "approve" | "deny"): Promise<void> {
  if (!process.stdin.isTTY) throw usage("approve: nobody is there to ask. Look at it, then add --yes.");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question(`Sign "${decision}"? Write yes: `);
    if (answer.trim() !== "yes") throw new CliError("not_signed", "nothing was signed.");
  } finally {
    lines.close();
  }
}
