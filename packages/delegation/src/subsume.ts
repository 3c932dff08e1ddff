import type { Json } from "@behest/jws";
import { check } from "./check.ts";
import type { Known, Range } from "./constraint.ts";
import { decimalWithin } from "./decimal.ts";
import { emailWithin } from "./email.ts";
import { equal, includesAll } from "./equality.ts";
import { pathWithin } from "./path.ts";
import { baseWithin } from "./url.ts";

/**
 * Section 4's table: whether `parent` subsumes `child`, both well-formed. A pair that is not in the table
 * is refused, however narrow it looks. Below our own types stand the same type, `exact` and `one_of`.
 */
export function subsumes(parent: Known, child: Known): boolean {
  switch (parent.constraint_type) {
    case "wildcard":
      return true;
    case "exact":
      return child.constraint_type === "exact" && equal(parent.value, child.value);
    case "range":
      return child.constraint_type === "range"
        ? lowerHeld(parent, child) && upperHeld(parent, child)
        : child.constraint_type === "exact" && check(parent, child.value);
    case "one_of":
      return child.constraint_type === "one_of"
        ? includesAll(parent.values, child.values)
        : child.constraint_type === "exact" && check(parent, child.value);
    case "not_one_of":
      return child.constraint_type === "not_one_of" && includesAll(child.excluded, parent.excluded);
    case "contains":
      return child.constraint_type === "contains" && includesAll(child.required, parent.required);
    case "subset":
      return child.constraint_type === "subset" && includesAll(parent.allowed, child.allowed);
    case "all":
      return (
        child.constraint_type === "all" &&
        parent.constraints.every((clause) => child.constraints.some((narrower) => subsumes(clause, narrower)))
      );
    case "any":
      return (
        child.constraint_type === "any" &&
        child.constraints.every((clause) => parent.constraints.some((wider) => subsumes(wider, clause)))
      );
    case "prefix":
      return child.constraint_type === "prefix"
        ? child.prefix.startsWith(parent.prefix)
        : valuesPass(parent, child);
    case "email":
      return child.constraint_type === "email" ? emailWithin(parent, child) : valuesPass(parent, child);
    case "path":
      return child.constraint_type === "path"
        ? pathWithin(parent.under, child.under)
        : valuesPass(parent, child);
    case "url":
      return child.constraint_type === "url"
        ? baseWithin(parent.base, child.base)
        : valuesPass(parent, child);
    case "decimal":
      return child.constraint_type === "decimal" ? decimalWithin(parent, child) : valuesPass(parent, child);
    default:
      parent satisfies never;
      return false;
  }
}

function valuesPass(parent: Known, child: Known): boolean {
  if (child.constraint_type === "exact") return check(parent, child.value);
  return child.constraint_type === "one_of" && child.values.every((value: Json) => check(parent, value));
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
