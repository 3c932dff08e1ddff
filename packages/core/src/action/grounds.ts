import type { Account } from "../budget/budget.ts";
import type { LiveSession } from "../session/live.ts";
import type { Rest } from "../store/types.ts";

/** Decisions of a rest on which nothing ever starts. */
const NEVER = -1;

/** What an action starts on, beside what was delegated and what policies permit. */
export interface Grounds {
  /** Hashes of the entries of what persons have approved. */
  readonly approvals?: readonly string[];
  /** Hash of the entry of the override. */
  readonly override?: string;
  /** Mandates or the override first, then its own ask. */
  readonly rests?: readonly Rest[];
  /** What the mandates limit, in the same order. */
  readonly accounts?: readonly Account[];
}

/** What an action rests on that has started before: what became of it is told when it begins again, and nothing starts. */
export function nothingMore(id: string): Rest {
  return { id, decisions: NEVER };
}

/** Whether persons have decided between the judgment and the start. */
export async function isDecidedSince({ deployment }: LiveSession, { id, decisions }: Rest): Promise<boolean> {
  if (decisions === NEVER) return false;
  return (await deployment.engine.approval(id))?.decisions.length !== decisions;
}
