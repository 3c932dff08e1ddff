import type { Json } from "@behest/jws";
import { check } from "./check.ts";
import type { Known } from "./constraint.ts";
import { type Effort, spend, spendOn } from "./effort.ts";
import { distinct } from "./equality.ts";

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
  const times = weight(constraint);
  return spendOn(effort, values, times) ? values.filter((value) => check(constraint, value)) : undefined;
}

/** What checking one value costs, as a multiple of its price. */
function weight(constraint: Known): number {
  switch (constraint.constraint_type) {
    case "path":
    case "url":
      return 8;
    case "all":
    case "any":
      return constraint.constraints.reduce((sum, clause) => sum + weight(clause), 1);
    case "one_of":
      return 1 + constraint.values.length / 32;
    case "not_one_of":
      return 1 + constraint.excluded.length / 32;
    case "contains":
      return 1 + constraint.required.length;
    case "subset":
      return 1 + constraint.allowed.length;
    default:
      return 1;
  }
}

export function oneOf(values: readonly Json[]): Known {
  return { constraint_type: "one_of", values };
}
