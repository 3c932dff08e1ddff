import type { Json } from "@behest/jws";
import { check } from "./check.ts";
import type { Known } from "./constraint.ts";
import { type Effort, isLeft, spend, spendOn } from "./effort.ts";
import { distinct } from "./equality.ts";
import { subjectOf } from "./subject.ts";

/** The values a constraint admits, when they can be listed with the effort that is left. */
export function finite(constraint: Known, effort: Effort): readonly Json[] | undefined {
  if (!spend(effort, 2)) return undefined;
  switch (constraint.constraint_type) {
    case "exact":
      return [constraint.value];
    case "one_of":
      return spendOn(effort, constraint.values) ? distinct(constraint.values) : undefined;
    case "range":
      return constraint.min !== undefined &&
        constraint.min === constraint.max &&
        check(constraint, constraint.min)
        ? [constraint.min]
        : undefined;
    case "all": {
      for (const clause of constraint.constraints) {
        const values = finite(clause, effort);
        if (values) return passing(constraint, values, effort);
      }
      return undefined;
    }
    case "any": {
      const lists: (readonly Json[])[] = [];
      for (const clause of constraint.constraints) {
        const values = finite(clause, effort);
        if (!values) return undefined;
        lists.push(values);
      }
      return distinct(lists.flat());
    }
    default:
      return undefined;
  }
}

/** Those of the values that pass. `undefined` when there is not enough effort left to tell. */
export function passing(
  constraint: Known,
  values: readonly Json[],
  effort: Effort,
): readonly Json[] | undefined {
  const passed: Json[] = [];
  for (const value of values) {
    if (check(constraint, value, subjectOf(value, effort))) passed.push(value);
    if (!isLeft(effort)) return undefined;
  }
  return passed;
}

export function oneOf(values: readonly Json[]): Known {
  return { constraint_type: "one_of", values };
}
