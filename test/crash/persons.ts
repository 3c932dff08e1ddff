import { isRead, planOf } from "./calls.ts";
import type { Attempt, Decision, Log } from "./log.ts";
import type { Violation } from "./world.ts";

/** What is wrong with how calls that wait for persons have started, by what the log says. */
export function judgeStarts({ attempts, decisions }: Log, earlier: Log): Violation[] {
  const found: Violation[] = [];
  const size = earlier.entries.length;
  /** By which action. */
  const spent = new Map<string, string>();
  const started = new Map<string, Attempt>();
  for (const attempt of attempts) {
    const { tool, action, index, spends } = attempt;
    if (!planOf(tool)) continue;
    const own = decisions.filter((decision) => decision.action === action && decision.index < index);
    found.push(...judgeBody(tool, own));
    const rests = own.filter(({ says, hash }) => says === "approve" && spends.includes(hash));
    // A read that starts again rests on what its first attempt has spent, and need not name it.
    if (rests.length < spends.length || (!started.has(action) && personsIn(rests) < planOf(tool)!.need))
      found.push({ fault: "unapproved", story: `${tool} does not name the approvals that it rests on` });
    for (const hash of spends) {
      const before = spent.get(hash);
      if (before !== undefined && !(before === action && isRead(tool)))
        found.push({ fault: "spent twice", story: `${tool} names a spent approval` });
      spent.set(hash, action);
    }
    if (!started.has(action)) started.set(action, attempt);
  }
  for (const { tool, action, index } of decisions)
    // One that was under way when it started may come right after.
    if (index >= size && started.has(action) && started.get(action)!.index < size)
      found.push({
        fault: "spent twice",
        story: `${tool} was decided on, and had started in an earlier life`,
      });
  return found;
}

/** What is wrong where a body runs on these decisions. */
export function judgeBody(tool: string, decisions: readonly Decision[]): Violation[] {
  const plan = planOf(tool);
  if (!plan) return [];
  const found: Violation[] = [];
  const approved = personsIn(decisions.filter(({ says }) => says === "approve"));
  if (approved < plan.need)
    found.push({
      fault: "unapproved",
      story: `${tool} ran, approved by ${approved} of ${plan.need} persons`,
    });
  if (decisions.some(({ says }) => says === "deny"))
    found.push({ fault: "denied", story: `${tool} ran, and a person had denied it` });
  return found;
}

function personsIn(decisions: readonly Decision[]): number {
  return new Set(decisions.map(({ key }) => key)).size;
}
