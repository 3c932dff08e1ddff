import { type AheadInForce, type Mandate, type Override, draftMandate, draftOverride } from "@behest/core";
import { policiesOf } from "@behest/core/policy";
import type { Delegation, Duration, Limits } from "@behest/delegation";
import { canonical } from "@behest/jws";
import { usage } from "../error.ts";
import { readText } from "../file.ts";
import { parseTool } from "../grant/parse.ts";
import { printTool } from "../grant/print.ts";
import { readHops } from "../hop.ts";
import { bold, print, printFacts, printJson, printTable } from "../output.ts";
import { clockTime, relative } from "../time.ts";

/** What of the command's options makes a mandate or an override. */
export interface AheadOptions {
  readonly mandate?: string;
  readonly breakGlass?: string;
  readonly tool?: readonly string[];
  readonly limit?: readonly Limits[];
  readonly group?: string;
  readonly expires?: Duration;
  readonly policy?: string;
  readonly reason?: string;
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** The mandate that the options make: a delegation, one tool, how many calls, and what they may spend. */
export async function mandateOf(options: AheadOptions): Promise<Mandate> {
  const { tool: [text, ...more] = [], limit = [], group, expires = "1h", policy } = options;
  const calls = limit.find((one) => one.calls !== undefined)?.calls;
  const said = group !== undefined && text !== undefined && more.length === 0 && calls !== undefined;
  if (!said || limit.some(({ per }) => per !== undefined))
    throw usage('--mandate: name one --tool, its --limit "10 calls" (and amounts), and the --group.');
  const amounts = Object.assign({}, ...limit.map(({ amount }) => amount)) as { [currency: string]: string };
  const { tool, arguments: constraints } = parseTool(text);
  const policies = await policiesOf(policy);
  return draftMandate({
    delegation: await read(options.mandate!),
    tool,
    constraints,
    count: calls,
    ...(Object.keys(amounts).length > 0 && { amount: amounts }),
    group,
    ...(policies && { policy: policies.digest }),
    expires: moment(expires),
  });
}

/** The override that the options make. */
export async function overrideOf({
  breakGlass,
  tool,
  reason,
  expires = "1h",
}: AheadOptions): Promise<Override> {
  if (reason === undefined) throw usage("--break-glass: give a --reason.");
  const delegation = await read(breakGlass!);
  return draftOverride({ delegation, ...(tool && { tools: tool }), reason, expires: moment(expires) });
}

async function read(path: string): Promise<Delegation> {
  const text = (await readText(path)).trim();
  readHops(text);
  return JSON.parse(text) as Delegation;
}

/** ms since the epoch; of a whole second, so that an hour is not more than one. */
function moment(expires: Duration): number {
  const text = String(expires);
  const seconds = Number(text.slice(0, -1)) * SECONDS[text.at(-1) as keyof typeof SECONDS];
  return (Math.floor(Date.now() / 1000) + seconds) * 1000;
}

export function isMandate(what: Mandate | Override): what is Mandate {
  return "terms" in what.about;
}

/** Everything that a signature covers, whole. */
export function describeAhead(what: Mandate | Override): void {
  const { leaf, exp } = what.about;
  const until = ["until", `${clockTime(exp * 1000)} (${relative(exp)})`] as const;
  if (!isMandate(what))
    return printFacts([
      ["break-glass", bold((what.about.tools ?? ["every tool that is delegated"]).join(", "))],
      ["reason", what.reason],
      ["delegation", leaf],
      until,
    ]);
  const { about, constraints, amount } = what;
  printFacts([
    ["tool", bold(printTool(about.tool, constraints))],
    ["arguments", canonical(constraints)],
    ["calls", String(about.count)],
    ["amount", amount ? canonical(amount) : "not limited"],
    ["group", about.group],
    ["policies", about.policy ?? "none"],
    ["delegation", leaf],
    until,
  ]);
}

/** What is in force, a line each. */
export function showAhead({ mandates, overrides }: AheadInForce, json: boolean): void {
  if (json) return printJson({ mandates, overrides });
  if (mandates.length + overrides.length === 0) return print("Nothing was signed ahead.");
  printTable(
    ["id", "kind", "principal", "agent", "covers", "left", "signed by", "until"],
    [
      ...mandates.map(({ id, principal, agent, persons, left, mandate: { about, constraints } }) => [
        id.slice(0, 10),
        "mandate",
        principal,
        agent,
        printTool(about.tool, constraints),
        [
          `${left.count} calls`,
          ...Object.entries(left.amount ?? {}).map((one) => one.toReversed().join(" ")),
        ].join(", "),
        `${persons} of ${about.group}`,
        clockTime(about.exp * 1000),
      ]),
      ...overrides.map(({ id, principal, agent, persons, override: { about } }) => [
        id.slice(0, 10),
        "break-glass",
        principal,
        agent,
        about.tools?.join(", ") ?? "every tool",
        "-",
        String(persons),
        clockTime(about.exp * 1000),
      ]),
    ],
  );
}
