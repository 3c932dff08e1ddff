import type { Json } from "@behest/jws";
import type { Known } from "./constraint.ts";
import { matchesDecimal } from "./decimal.ts";
import { matchesEmail } from "./email.ts";
import { equal, includesAll, isMember } from "./equality.ts";
import { pathWithin } from "./path.ts";
import { inRange } from "./range.ts";
import { urlWithin } from "./url.ts";

/** Section 3.4: whether a value satisfies a well-formed constraint. An unknown type satisfies nothing. */
export function check(constraint: Known, value: Json): boolean {
  switch (constraint.constraint_type) {
    case "exact":
      return equal(constraint.value, value);
    case "range":
      return typeof value === "number" && inRange(constraint, value);
    case "one_of":
      return isMember(constraint.values, value);
    case "not_one_of":
      return !isMember(constraint.excluded, value);
    case "contains":
      return Array.isArray(value) && includesAll(value, constraint.required);
    case "subset":
      return Array.isArray(value) && includesAll(constraint.allowed, value);
    case "wildcard":
      return true;
    case "all":
      return constraint.constraints.every((clause) => check(clause, value));
    case "any":
      return constraint.constraints.some((clause) => check(clause, value));
    case "prefix":
      return typeof value === "string" && value.startsWith(constraint.prefix);
    case "email":
      return typeof value === "string" && matchesEmail(constraint, value);
    case "path":
      return typeof value === "string" && pathWithin(constraint.under, value);
    case "url":
      return typeof value === "string" && urlWithin(constraint.base, value);
    case "decimal":
      return matchesDecimal(constraint, value);
    default:
      constraint satisfies never;
      return false;
  }
}
