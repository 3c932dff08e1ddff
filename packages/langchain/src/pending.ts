import { type Ask, BehestError } from "@behest/core";
import { Command } from "@langchain/langgraph";

interface Found {
  readonly id?: unknown;
  readonly value?: unknown;
  readonly interruptId?: unknown;
  readonly payload?: unknown;
}

/**
 * What a paused run waits for: of what `invoke` answered, a chunk of `stream`, a run of `streamEvents`, or a
 * snapshot of `getState`. Interrupts of others are not listed. Of several calls that wait in one node (`ToolNode`,
 * agents of version "v1") or below one sub-agent LangGraph tells one at a time; `behest.approvals.list` has all.
 */
export function pendingApprovals(resultOrState: object): Ask[] {
  const asks = new Map<string, Ask>();
  for (const { id, value, interruptId = id, payload = value } of interruptsOf(resultOrState)) {
    const { approval, tool } = (payload as { behest?: Partial<Ask> } | undefined)?.behest ?? {};
    if (typeof interruptId !== "string" || typeof approval !== "string" || typeof tool !== "string") continue;
    asks.set(`${interruptId}\n${approval}`, { approval, resumeId: interruptId, tool });
  }
  return [...asks.values()];
}

/**
 * Takes a paused run up again: `agent.invoke(resume(asks), config)`, inside `session.run`. It carries no decision:
 * what was not approved in the store pauses again, and what was denied is told to the model. Others' interrupts
 * stay as they are; where one shares a node with ours and is handed this by LangGraph, it reads `false`. Throws
 * `approval_missing` for no asks, as LangGraph would then resume whatever waits.
 */
export function resume(asks: readonly Ask[]): Command {
  if (asks.length === 0)
    throw new BehestError("approval_missing", "approval_missing: resume() was given nothing that waits.");
  return new Command({ resume: Object.fromEntries(asks.map(({ resumeId }) => [resumeId, false])) });
}

function interruptsOf(from: unknown): readonly Found[] {
  if (typeof from !== "object" || from === null) return [];
  // A chunk with its mode, its namespace, or both before it.
  if (Array.isArray(from)) return from.flatMap(interruptsOf);
  const { __interrupt__, interrupts, tasks, state } = from as { [member: string]: unknown };
  return [
    listed(__interrupt__),
    listed(interrupts),
    listed(tasks).flatMap(interruptsOf),
    interruptsOf(state),
  ].flat();
}

function listed(value: unknown): readonly Found[] {
  return Array.isArray(value) ? (value as Found[]) : [];
}
