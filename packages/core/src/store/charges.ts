import { addDecimals, compareDecimals } from "@behest/delegation";
import type { Charge } from "./types.ts";

/** What counters are to hold. */
export type Held = ReadonlyMap<string, string>;

/** What a counter holds now; undefined where nothing was ever added. */
export type ReadCounter = (counter: string) => string | undefined;

const READABLE = /^[0-9]+(?:\.[0-9]+)?$/;

/**
 * All of the charges or none: what the counters hold afterwards, or the index of the first charge that there is no
 * room for. `charged`: counters that this action was added to before, which it is not again. A counter that cannot be
 * read throws; one whose time is over takes nothing, since it may have been forgotten. `now`: the store's time.
 */
export function ruleCharges(
  charges: readonly Charge[],
  charged: readonly string[],
  read: ReadCounter,
  now: number,
): { readonly held: Held } | { readonly spent: number } {
  const held = new Map<string, string>();
  for (const [i, { counter, add, most, until }] of charges.entries()) {
    if (charged.includes(counter)) continue;
    const sum = addDecimals(held.get(counter) ?? readable(read(counter)), add);
    if (until <= now || compareDecimals(sum, most) > 0) return { spent: i };
    held.set(counter, sum);
  }
  return { held };
}

/** What the counters hold after the charges that were made are taken back; those that were not made are left out. */
export function ruleUnspent(unspent: readonly Charge[], charged: readonly string[], read: ReadCounter): Held {
  const held = new Map<string, string>();
  for (const { counter, add } of unspent) {
    const before = read(counter);
    if (before === undefined || held.has(counter) || !charged.includes(counter)) continue;
    const rest = addDecimals(readable(before), `-${add}`);
    held.set(counter, rest.startsWith("-") ? "0" : rest);
  }
  return held;
}

function readable(held = "0"): string {
  if (!READABLE.test(held)) throw new RangeError("a counter does not hold a decimal");
  return held;
}
