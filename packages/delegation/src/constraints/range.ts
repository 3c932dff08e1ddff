import type { Range } from "./constraint.ts";

export function inRange(range: Range, value: number): boolean {
  const { min, max } = range;
  if (min !== undefined && !(range.min_inclusive === false ? value > min : value >= min)) return false;
  return max === undefined || (range.max_inclusive === false ? value < max : value <= max);
}

/** Each bound of `parent` is one of `child` too, no looser. */
export function rangeWithin(parent: Range, child: Range): boolean {
  return lowerHeld(parent, child) && upperHeld(parent, child);
}

/** The numbers within both; `undefined` when there are none. */
export function commonRange(a: Range, b: Range): Range | undefined {
  const low = lowerHeld(a, b) ? b : a;
  const high = upperHeld(a, b) ? b : a;
  const { min, min_inclusive } = low;
  const { max, max_inclusive } = high;
  if (min !== undefined && max !== undefined) {
    if (min > max || (min === max && (min_inclusive === false || max_inclusive === false))) return undefined;
  }
  return {
    constraint_type: "range",
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
    ...(min_inclusive !== undefined && { min_inclusive }),
    ...(max_inclusive !== undefined && { max_inclusive }),
  };
}

function lowerHeld(parent: Range, child: Range): boolean {
  if (parent.min === undefined) return true;
  if (child.min === undefined || child.min < parent.min) return false;
  return child.min > parent.min || parent.min_inclusive !== false || child.min_inclusive === false;
}

function upperHeld(parent: Range, child: Range): boolean {
  if (parent.max === undefined) return true;
  if (child.max === undefined || child.max > parent.max) return false;
  return child.max < parent.max || parent.max_inclusive !== false || child.max_inclusive === false;
}
