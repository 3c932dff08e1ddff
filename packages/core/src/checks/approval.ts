import { toolLabel } from "../action/label.ts";
import type { Need } from "../approval/approval.ts";
import type { LiveSession } from "../session/live.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/** The delegation may want persons to approve each action of a tool, or of every tool. */
export function approval({ session, tool }: Wanted): Finding | undefined {
  const needs = needsOf(session, tool);
  if (needs.length === 0) return undefined;
  return {
    check: "approval",
    code: "approval_needed",
    message: `${toolLabel(tool, session.tools)}: the delegation wants a person to approve it.`,
    needs,
  };
}

/** Whom some action of this tool may have to wait for, whatever its arguments. */
export function needsOf(session: LiveSession, tool: string): readonly Need[] {
  const required = session.leaf.restrictions?.approvals;
  if (!required) return [];
  const named = ["*", tool].flatMap((name) =>
    Object.hasOwn(required, name) ? Object.entries(required[name]!) : [],
  );
  return strictest(named.map(([group, persons]) => ({ group, persons })));
}

/** One need a group: the most persons that anything asks for. */
export function strictest(needs: readonly Need[]): readonly Need[] {
  const groups = new Map<string, number>();
  for (const { group, persons } of needs) groups.set(group, Math.max(groups.get(group) ?? 0, persons));
  return [...groups].map(([group, persons]) => ({ group, persons }));
}
