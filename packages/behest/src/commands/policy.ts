import { findLocal } from "@behest/core";
import type { PolicyDecision, PolicyLimit } from "@behest/core/policy";
import { checkPolicies, loadPolicies, printLimit, shortageText, shortages } from "@behest/core/policy";
import { type Command, InvalidArgumentError } from "commander";
import { define } from "../command.ts";
import { CliError, usage } from "../error.ts";
import { readText } from "../file.ts";
import { readManifest } from "../local.ts";
import { type Cell, bad, bold, good, print, printFacts, printJson, printTable } from "../output.ts";
import { type WrittenAction, readAction, readJson, requestOf } from "../policy/action.ts";
import { profiled } from "../policy/profiled.ts";
import { runTable } from "../policy/table.ts";
import { suggest } from "./suggest.ts";

export function policy(program: Command): void {
  const group = program.command("policy").description("policies: check, explain, test and suggest them");
  define(group, {
    name: "check",
    description: "type-check a folder of policies; each fault with its file, line and column",
    example: "behest policy check policies",
  })
    .argument("<folder>", 'of .cedar files, or "default"')
    .action(check);
  withAction(
    define(group, {
      name: "explain",
      description: "why an action would be permitted, asked for or denied",
      example:
        "behest policy explain policies --action pay.json\nbehest policy explain default --tool send_mail --effect irreversible --boundary outside",
    }).argument("<folder>", 'of .cedar files, or "default"'),
  ).action(explain);
  define(group, {
    name: "test",
    description: "run a table of tests: [{ name, policy, action, expect, group?, need?, rule?, limit? }]",
    example: "behest policy test policies/tests.json",
  })
    .argument("<file>", "JSON, or - for standard input")
    .option("--policy <folder>", "for tests that name none")
    .action(test);
  suggest(group);
}

async function check(folder: string, { json }: { readonly json?: true }): Promise<void> {
  const { faults, policies } = await checkPolicies(folder);
  const local = findLocal();
  const short = policies && local ? shortages(policies.rules, await readManifest(local)) : [];
  if (json)
    printJson({
      ok: faults.length === 0,
      digest: policies?.digest,
      rules: policies?.rules,
      shortages: short,
      faults,
    });
  else if (policies) {
    printTable(
      ["policy", "line", "effect", "asks", "limits", "reason"],
      policies.rules.map(({ id, line, effect, ask, limits = [], reason }) => [
        id,
        String(line),
        effect,
        ask ? `${ask.need} of ${ask.group}` : "-",
        limits.map(printLimit).join("; ") || "-",
        reason ?? "-",
      ]),
    );
    printFacts([
      ["declared tools", policies.tools.join(", ") || "none"],
      ["digest", bold(policies.digest)],
      ...short.map((one) => ["warning", bad(shortageText(one))] as const),
    ]);
  } else for (const { file, line, column, reason } of faults) print(`${file}:${line}:${column}: ${reason}`);
  if (faults.length > 0)
    throw new CliError("policy_invalid", `${faults.length} ${faults.length === 1 ? "fault" : "faults"}.`);
}

interface ActionOptions {
  readonly action?: string;
  readonly tool?: string;
  readonly args?: string;
  readonly json?: true;
  readonly [option: string]: unknown;
}

/** Names of the options are those of the members. */
function withAction(command: Command): Command {
  return command
    .option("--action <file>", "the action as JSON, or - for standard input")
    .option("--tool <name>", "or its tool, with what follows")
    .option("--args <json>", "its arguments")
    .option("--effect <effect>", "read, reversible, irreversible (default)")
    .option("--boundary <boundary>", "inside, outside (default)")
    .option("--allowlisted", "the delegation holds what steers it to an allow-list")
    .option("--resource <id>", "what it touches")
    .option("--workspace <name>", "where that lies")
    .option("--within <name>", "the delegation's workspace")
    .option("--amount <amount>", '"12.50 EUR"', amount)
    .option("--principal <subject>", "on whose behalf")
    .option("--agent <name>", "by which agent")
    .option("--depth <count>", "how many delegations lie above", Number)
    .option("--approvals <groups>", "that have approved it: finance,legal", (text) => text.split(","));
}

async function explain(folder: string, options: ActionOptions): Promise<void> {
  const written = await actionOf(options);
  const found = profiled(written);
  const action = found ?? written;
  const policies = await loadPolicies(folder);
  const decided = policies.decide(requestOf(action));
  const deciding = policies.rules.filter(({ id }) => decided.rules.includes(id));
  const does = found && { effect: found.effect, boundary: found.boundary };
  if (options.json) return printJson({ ...decided, ...does, policy: policies.digest });
  printFacts([
    ["decision", decisionCell(decided)],
    ...(does ? [["its profile", `${does.effect}, ${does.boundary}`] as const] : []),
    ...decided.reasons.map((reason) => ["why", reason] as const),
    ...(decided.decision === "ask"
      ? decided.asks.map(({ group, need }) => ["asks", `${need} of ${group}`] as const)
      : []),
    ...limitsOf(decided).map((limit) => ["limit", `${printLimit(limit)} (${limit.rule})`] as const),
    ...deciding.map(({ id, file, line }) => ["decided by", `${id} (${file}:${line})`] as const),
    ...(policies.tools.includes(action.tool)
      ? []
      : [["note", "no schema declares this tool: policies do not see its arguments"] as const]),
  ]);
}

async function actionOf(options: ActionOptions): Promise<WrittenAction> {
  const { action: file, json: _, args, ...rest } = options;
  if (file === undefined) {
    if (options.tool === undefined) throw usage("name the action: --action <file>, or --tool <name>.");
    const given = args === undefined ? {} : { args: readJson(args, "--args") };
    return readAction({ ...rest, ...given } as never, "the options");
  }
  if (args !== undefined || Object.keys(rest).length > 0)
    throw usage("--action stands alone: write the rest into the file.");
  return readAction(readJson(await readText(file), file), file);
}

function amount(text: string): NonNullable<WrittenAction["amount"]> {
  const [value, currency, ...more] = text.split(" ");
  if (!value || !currency || more.length > 0) throw new InvalidArgumentError('write "12.50 EUR"');
  return { value, currency };
}

function limitsOf(decided: PolicyDecision): readonly PolicyLimit[] {
  return decided.decision === "deny" ? [] : (decided.limits ?? []);
}

function decisionCell({ decision }: PolicyDecision): Cell {
  return decision === "permit" ? good(decision) : decision === "deny" ? bad(decision) : bold(decision);
}

async function test(
  file: string,
  options: { readonly policy?: string; readonly json?: true },
): Promise<void> {
  const tested = await runTable(file, options.policy);
  if (options.json) for (const one of tested) printJson(one);
  else
    printTable(
      ["test", "expected", "found", "decided by", ""],
      tested.map(({ name, expected, found, rules, ok }) => [
        name,
        expected,
        found,
        rules.join(", ") || "-",
        ok ? good("ok") : bad("FAIL"),
      ]),
    );
  const failed = tested.filter(({ ok }) => !ok).length;
  if (failed > 0) throw new CliError("policy_test_failed", `${failed} of ${tested.length} tests.`);
}
