import type { Json } from "@behest/jws";

/**
 * What comparing two grants may still cost, in units of some ten nanoseconds. Clauses and lists multiply: without it,
 * two grants that fit into tokens could keep a verifier busy for seconds. Whatever is not compared is refused.
 */
export interface Effort {
  left: number;
}

/** Enough to compare any two lists that fit into tokens, rule by rule where there are few rules. */
const MOST = 2 ** 20;

/** For all pairs of a chain: enough for the longest lists in the longest chain, where each child repeats its parent's. */
export const MOST_OF_CHAIN: number = 2 * MOST;

export function newEffort(most: number = MOST): Effort {
  return { left: most };
}

/** For work that is linear in what was sent. */
export const UNBOUNDED: Effort = newEffort(Number.POSITIVE_INFINITY);

/** False once there is none left. */
export function spend(effort: Effort, cost: number): boolean {
  effort.left -= cost;
  return isLeft(effort);
}

export function isLeft(effort: Effort): boolean {
  return effort.left >= 0;
}

/** Rules that are long, or taken apart to be compared. */
const DEAR: ReadonlyMap<string, number> = new Map([
  ["path", 16],
  ["url", 60],
  ["decimal", 80],
]);

/** Of comparing a rule with another of its type, or with what was read from a value. */
export function priceOfRule(type: string): number {
  return DEAR.get(type) ?? 4;
}

/** Of looking at a value once. Finding it out takes no longer than that. */
function priceOf(value: Json): number {
  if (typeof value === "string") return 8 + value.length;
  return typeof value === "object" && value !== null ? 8 + JSON.stringify(value).length : 4;
}

/** Stops adding up when there is nothing left. */
export function spendOn(effort: Effort, values: readonly Json[], times = 1): boolean {
  return values.every((value) => spend(effort, times * priceOf(value)));
}
