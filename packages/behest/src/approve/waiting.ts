import type { Approval } from "@behest/core";
import { canonical } from "@behest/jws";
import { CliError, usage } from "../error.ts";
import { bold, print, printFacts, printJson, printTable } from "../output.ts";
import { clockTime, relative } from "../time.ts";

/** What waits, a line each. */
export function showWaiting(waiting: readonly Approval[], json: boolean): void {
  if (json) return printJson(waiting);
  if (waiting.length === 0) return print("Nothing waits.");
  printTable(
    ["id", "group", "need", "principal", "agent", "tool", "arguments", "until"],
    waiting.map(({ id, group, need, approved, principal, agent, tool, args, expires }) => [
      id.slice(0, 10),
      group,
      approved >= need ? "approved" : approved > 0 ? `${need - approved} more of ${need}` : String(need),
      principal,
      agent,
      tool,
      canonical(args),
      clockTime(expires),
    ]),
  );
}

/** One of what waits, by its id or the beginning of it. */
export function chosen(waiting: readonly Approval[], id: string): Approval {
  const found = waiting.filter((one) => one.id.startsWith(atLeast(id)));
  const [approval, other] = found;
  if (!approval) throw nothing();
  if (!other) return approval;
  throw usage(
    other.id === approval.id
      ? `approve: it waits for ${found.map(({ group }) => group).join(" and ")}. Name your --group.`
      : "approve: more than one id begins so.",
  );
}

export function atLeast(id: string): string {
  if (id.length < 6) throw usage("approve: write at least 6 characters of the id.");
  return id;
}

function nothing(): CliError {
  return new CliError("approval_missing", "nothing waits under this id: it was decided, or has expired.");
}

/** All that waits in a run, for one signature. */
export function planOf(waiting: readonly Approval[]): readonly Approval[] {
  const groups = [...new Set(waiting.map(({ group }) => group))];
  if (groups.length === 0) throw new CliError("approval_missing", "nothing waits in this run.");
  if (groups.length > 1) throw usage(`approve: it waits for ${groups.join(" and ")}. Name your --group.`);
  return waiting;
}

/** Everything that a signature covers, whole. */
export function describe({ tool, args, why, principal, agent, group, need, expires, about }: Approval): void {
  printFacts([
    ["tool", bold(tool)],
    ["arguments", canonical(args)],
    ["for", principal],
    ["by", agent],
    ["why", why],
    ["group", `${group} (${need} ${need === 1 ? "person" : "persons"})`],
    ["policies", about.policy ?? "none"],
    ["until", `${clockTime(expires)} (${relative(Math.floor(expires / 1000))})`],
  ]);
}
