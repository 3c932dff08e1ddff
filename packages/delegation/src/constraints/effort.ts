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

export function newEffort(most: number = MOST): Effort {
  return { left: most };
}

/** False once there is none left. */
export function spend(effort: Effort, cost: number): boolean {
  effort.left -= cost;
  return effort.left >= 0;
}

/** Of looking at a value once. Finding it out takes no longer than that. */
export function priceOf(value: Json): number {
  if (typeof value === "string") return 8 + value.length;
  return typeof value === "object" && value !== null ? 8 + JSON.stringify(value).length : 4;
}

/** Stops adding up when there is nothing left. */
export function spendOn(effort: Effort, values: readonly Json[], times = 1): boolean {
  return values.every((value) => spend(effort, times * priceOf(value)));
}
