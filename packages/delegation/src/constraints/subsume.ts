import type { Json } from "@behest/jws";
import { check } from "./check.ts";
import type { Known } from "./constraint.ts";
import { decimalWithin } from "./decimal.ts";
import { type Effort, newEffort, priceOfRule, spend, spendOn } from "./effort.ts";
import { emailWithin } from "./email.ts";
import { equal, includesAll } from "./equality.ts";
import { folderWithin } from "./path.ts";
import { rangeWithin } from "./range.ts";
import { subjectOf } from "./subject.ts";
import { baseWithin } from "./url.ts";

/**
 * Section 4's table: whether `parent` subsumes `child`, both well-formed. A pair that is not in the table
 * is refused, however narrow it looks, and so is one that takes more than the effort that is left. Below our own
 * types stand the same type, `exact` and `one_of`.
 */
export function subsumes(parent: Known, child: Known, effort: Effort = newEffort()): boolean {
  if (!spend(effort, priceOfRule(parent.constraint_type))) return false;
  switch (parent.constraint_type) {
    case "wildcard":
      return true;
    case "exact":
      return child.constraint_type === "exact" && equal(parent.value, child.value);
    case "range":
      return child.constraint_type === "range"
        ? rangeWithin(parent, child)
        : child.constraint_type === "exact" && check(parent, child.value);
    case "one_of":
      return child.constraint_type === "one_of"
        ? holds(parent.values, child.values, effort)
        : child.constraint_type === "exact" &&
            // A scalar is looked up without a set.
            spend(effort, parent.values.length / 4) &&
            check(parent, child.value);
    case "not_one_of":
      return child.constraint_type === "not_one_of" && holds(child.excluded, parent.excluded, effort);
    case "contains":
      return child.constraint_type === "contains" && holds(child.required, parent.required, effort);
    case "subset":
      return child.constraint_type === "subset" && holds(parent.allowed, child.allowed, effort);
    case "all":
      return (
        child.constraint_type === "all" &&
        eachFinds(parent.constraints, child.constraints, (clause, narrower) =>
          subsumes(clause, narrower, effort),
        )
      );
    case "any":
      return (
        child.constraint_type === "any" &&
        eachFinds(child.constraints, parent.constraints, (clause, wider) => subsumes(wider, clause, effort))
      );
    case "prefix":
      return child.constraint_type === "prefix"
        ? child.prefix.startsWith(parent.prefix)
        : valuesPass(parent, child, effort);
    case "email":
      return child.constraint_type === "email"
        ? emailWithin(parent, child)
        : valuesPass(parent, child, effort);
    case "path":
      return child.constraint_type === "path"
        ? folderWithin(parent.under, child.under)
        : valuesPass(parent, child, effort);
    case "url":
      return child.constraint_type === "url"
        ? baseWithin(parent.base, child.base)
        : valuesPass(parent, child, effort);
    case "decimal":
      return child.constraint_type === "decimal"
        ? decimalWithin(parent, child)
        : valuesPass(parent, child, effort);
    default:
      parent satisfies never;
      return false;
  }
}

/** Looks first behind the last one found, so that comparing what was not reordered takes linear time. */
function eachFinds(
  seekers: readonly Known[],
  among: readonly Known[],
  fits: (seeker: Known, candidate: Known) => boolean,
): boolean {
  let next = 0;
  return seekers.every((seeker) => {
    for (let i = 0; i < among.length; i++) {
      const at = (next + i) % among.length;
      if (!fits(seeker, among[at]!)) continue;
      next = at + 1;
      return true;
    }
    return false;
  });
}

function holds(whole: readonly Json[], part: readonly Json[], effort: Effort): boolean {
  return spendOn(effort, whole) && spendOn(effort, part) && includesAll(whole, part);
}

function valuesPass(parent: Known, child: Known, effort: Effort): boolean {
  const passes = (value: Json): boolean => check(parent, value, subjectOf(value, effort));
  if (child.constraint_type === "exact") return passes(child.value);
  return child.constraint_type === "one_of" && child.values.every(passes);
}
