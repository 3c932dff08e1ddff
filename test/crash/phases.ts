import { callsUntil, planOf, textOf } from "./calls.ts";
import type { Task } from "./life.ts";
import type { Log } from "./log.ts";
import type { Who } from "./machine.ts";
import { judgeBody } from "./persons.ts";
import { type Step, said } from "./steps.ts";

/** What is done to a call that waits for persons, in turn. */
export const PHASES = ["ask", "approve", "begin", "body", "finish"] as const;
export type Phase = (typeof PHASES)[number];

/** A life that was stopped: in which process, on which log, and what it has left of that where nothing is lost. */
export interface Stopped {
  readonly steps: readonly Step[];
  readonly who: Who;
  readonly task: Task;
  readonly before: Log;
  readonly after: Log;
}

/**
 * Where the calls that wait for persons stood when the machine was stopped: those that the last step was of, as far
 * as that is known. What is written to the store may be of each that was being asked for, begun or finished just then.
 */
export function phasesOf(stopped: Stopped): Phase[] {
  const { steps, who } = stopped;
  const last = steps.at(-1)!;
  const lines = said(steps, "a").map((line) => line.split(" ") as [string, string]);
  const isReady = lines.some(([name, answer]) => name === who && answer === "ready");
  if (!isReady) return [];
  if (who === "approver") return ["approve"];
  if (last.place === "e" || last.place === "a") {
    const isBegun = last.op === "write" && last.half === 1;
    const line = isBegun ? textOf(last.bytes.toString("latin1")) : said(steps, last.place).at(-1)!;
    const [tool, answer] = line.split(" ") as [string, string?];
    if (!planOf(tool)) return [];
    if (last.place === "e") return ["body"];
    if (answer === "approval_needed") return ["ask"];
    return said(steps, "e").includes(tool) ? ["finish"] : [];
  }
  const found = new Set(underWay(lines, stopped.task).map((tool) => phaseOf(tool, lines, stopped)));
  return PHASES.filter((phase) => found.has(phase));
}

/** The calls that its lanes had taken and not brought to an end. */
function underWay(lines: readonly (readonly [string, string])[], { life, lanes, approver }: Task): string[] {
  const isEnd = (answer: string): boolean =>
    !/^[-+]/.test(answer) && !(approver && answer === "approval_needed");
  const ended = new Set(lines.flatMap(([tool, answer]) => (isEnd(answer) ? [tool] : [])));
  const left = callsUntil(life).filter(({ tool }) => !ended.has(tool));
  return left.slice(0, lanes).map(({ tool }) => tool);
}

/** Undefined for a call that waits for nobody, or only waits. */
function phaseOf(
  tool: string,
  lines: readonly (readonly [string, string])[],
  { steps, before, after }: Stopped,
): Phase | undefined {
  const plan = planOf(tool);
  if (!plan || before.attempts.some((attempt) => attempt.tool === tool)) return undefined;
  if (said(steps, "e").includes(tool)) return "finish";
  const isAsked =
    before.asked.has(tool) || lines.some(([name, answer]) => name === tool && answer === "approval_needed");
  if (!isAsked) return "ask";
  const decisions = after.decisions.filter((decision) => decision.tool === tool);
  return judgeBody(tool, decisions).length === 0 ? "begin" : undefined;
}
