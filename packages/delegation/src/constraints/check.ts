import type { Json } from "@behest/jws";
import type { Known } from "./constraint.ts";
import { matchesDecimal } from "./decimal.ts";
import { priceOfRule, spend } from "./effort.ts";
import { matchesEmail } from "./email.ts";
import { equal } from "./equality.ts";
import { isAmong, isSubset, isSuperset } from "./members.ts";
import { pathWithin } from "./path.ts";
import { inRange } from "./range.ts";
import { Subject } from "./subject.ts";
import { urlWithin } from "./url.ts";

/**
 * Section 3.4: whether a value satisfies a well-formed constraint. An unknown type satisfies nothing. The work is linear
 * in value and constraint. `subject`: the value, where it is checked on more than one; where its effort runs out, the
 * answer says nothing.
 */
export function check(constraint: Known, value: Json, subject?: Subject): boolean {
  if (subject && !spend(subject.effort, priceOfRule(constraint.constraint_type))) return false;
  switch (constraint.constraint_type) {
    case "exact":
      return equal(constraint.value, value);
    case "range":
      return typeof value === "number" && inRange(constraint, value);
    case "one_of":
      return isAmong(constraint.values, value, subject);
    case "not_one_of":
      return !isAmong(constraint.excluded, value, subject);
    case "wildcard":
      return true;
    case "prefix":
      return typeof value === "string" && value.startsWith(constraint.prefix);
    case "decimal":
      return matchesDecimal(constraint, value);
    default:
      return checkRead(constraint, value, subject ?? new Subject(value));
  }
}

/** The types that look into the value. */
function checkRead(constraint: Known, value: Json, subject: Subject): boolean {
  switch (constraint.constraint_type) {
    case "contains":
      return isSuperset(subject, constraint.required);
    case "subset":
      return isSubset(subject, constraint.allowed);
    case "all":
      return constraint.constraints.every((clause) => check(clause, value, subject));
    case "any":
      return constraint.constraints.some((clause) => check(clause, value, subject));
    case "email":
      return subject.address !== undefined && matchesEmail(constraint, subject.address);
    case "path":
      return subject.path !== undefined && pathWithin(constraint.under, subject.path);
    case "url":
      return subject.url !== undefined && urlWithin(constraint.base, subject.url);
    default:
      return false;
  }
}
