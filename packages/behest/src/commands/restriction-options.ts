import type {
  Effect,
  LimitScope,
  Limits,
  RequiredApprovals,
  RestrictionRequest,
  Rung,
} from "@behest/delegation";
import type { Command } from "commander";
import { usage } from "../error.ts";

/** What restricts a delegation beyond its tools, as options of `delegate` and `derive`. */
export interface RestrictionOptions {
  readonly workspace?: string;
  readonly limit?: readonly Limits[];
  readonly fanOut?: number;
  readonly effects?: readonly Effect[];
  readonly approval?: readonly (readonly [tool: string, group: string, persons: number])[];
  readonly consent?: Rung;
}

export function withRestrictionOptions(command: Command): Command {
  return command
    .option("--workspace <name>", "touch nothing outside of it: acme/finance")
    .option("--limit <limit>", '"20 calls", "500.00 EUR", "50 EUR per action"; repeatable', limits)
    .option("--fan-out <count>", "how many may be derived directly from it", count)
    .option("--effects <list>", "only these: read,reversible,irreversible", effects)
    .option(
      "--approval <tool=group:n>",
      "who must approve each action of a tool, or of *; repeatable",
      approval,
    )
    .option("--consent <rung>", "the weakest consent that will do: local, oauth, passkey", rung);
}

export function restrictionsOf(options: RestrictionOptions): RestrictionRequest {
  const { workspace, limit, fanOut, effects: allowed, approval: asked, consent } = options;
  return {
    ...(workspace !== undefined && { workspace }),
    ...(limit && { limits: merged(limit) }),
    ...(fanOut !== undefined && { fanOut }),
    ...(allowed && { effects: allowed }),
    ...(asked && { approvals: grouped(asked) }),
    ...(consent !== undefined && { minConsent: consent }),
  };
}

const LIMIT = /^([0-9.]+) ([A-Za-z0-9]+)(?: per (action|lifetime|subtree))?$/;

/** One more of `--limit`. */
export function limits(text: string, before: readonly Limits[] = []): readonly Limits[] {
  const match = LIMIT.exec(text);
  if (!match) throw usage('--limit: write "20 calls", "500.00 EUR" or "50 EUR per action".');
  const [, number, unit, scope] = match as unknown as [string, string, string, LimitScope | undefined];
  const per = scope && { per: scope };
  if (unit !== "calls") return [...before, { amount: { [unit]: number }, ...per }];
  if (!/^[0-9]{1,15}$/.test(number)) throw usage("--limit: calls are a whole number.");
  return [...before, { calls: Number(number), ...per }];
}

/** One per scope. */
function merged(given: readonly Limits[]): readonly Limits[] {
  const scopes = new Map<LimitScope, Limits>();
  for (const { per = "subtree", calls, amount } of given) {
    const held = scopes.get(per) ?? { per };
    const currencies = { ...held.amount, ...amount };
    scopes.set(per, {
      ...held,
      ...(calls !== undefined && { calls }),
      ...(Object.keys(currencies).length > 0 && { amount: currencies }),
    });
  }
  return [...scopes.values()];
}

function count(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw usage("--fan-out: write a whole number.");
  return Number(text);
}

function effects(text: string): readonly Effect[] {
  return text.split(",").map((effect) => oneOf(["read", "reversible", "irreversible"], effect, "--effects"));
}

function rung(text: string): Rung {
  return oneOf(["local", "oauth", "passkey"], text, "--consent");
}

function oneOf<T extends string>(known: readonly T[], text: string, option: string): T {
  const found = known.find((word) => word === text);
  if (found === undefined) throw usage(`${option}: write ${known.join(", ")}.`);
  return found;
}

type Asked = readonly (readonly [tool: string, group: string, persons: number])[];

function approval(text: string, before: Asked = []): Asked {
  const match = /^([^=]+)=([^:=]+)(?::([1-9][0-9]?))?$/.exec(text);
  if (!match) throw usage("--approval: write tool=group or tool=group:2.");
  return [...before, [match[1]!, match[2]!, Number(match[3] ?? 1)]];
}

function grouped(asked: Asked): RequiredApprovals {
  const tools = new Map<string, Map<string, number>>();
  for (const [tool, group, persons] of asked)
    tools.set(tool, (tools.get(tool) ?? new Map<string, number>()).set(group, persons));
  return Object.fromEntries([...tools].map(([tool, groups]) => [tool, Object.fromEntries(groups)]));
}
