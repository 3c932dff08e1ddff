import type { Account } from "../budget/budget.ts";
import type { Rest } from "../store/types.ts";

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
