import type { Known } from "./constraint.ts";
import { commonDecimals } from "./decimal.ts";
import { type Effort, spend, spendOn } from "./effort.ts";
import { emailWithin } from "./email.ts";
import { shared } from "./equality.ts";
import { folderWithin } from "./path.ts";
import { commonRange } from "./range.ts";
import { commonBase } from "./url.ts";
import { finite, passing } from "./values.ts";

/** No value passes both. Sound, not complete: two rules may have nothing in common without being found so. */
export function apart(a: Known, b: Known, effort: Effort): boolean {
  if (!spend(effort, 8)) return false;
  if (a.constraint_type === "one_of" && b.constraint_type === "one_of")
    return spendOn(effort, [...a.values, ...b.values]) && shared(a.values, b.values).length === 0;
  const values = finite(a, effort);
  if (values) return passing(b, values, effort)?.length === 0;
  const others = finite(b, effort);
  if (others) return passing(a, others, effort)?.length === 0;
  if (a.constraint_type === "any") return a.constraints.every((clause) => apart(clause, b, effort));
  if (b.constraint_type === "any") return b.constraints.every((clause) => apart(a, clause, effort));
  if (a.constraint_type === "all") return a.constraints.some((clause) => apart(clause, b, effort));
  if (b.constraint_type === "all") return b.constraints.some((clause) => apart(a, clause, effort));
  return (kinds(a) & kinds(b)) === 0 || (spend(effort, 32) && (shareNothing(a, b) ?? false));
}

const NUMBER = 1;
const STRING = 2;
const ARRAY = 4;
const OTHER = 8;

/** The kinds of JSON values that may pass. */
function kinds(leaf: Known): number {
  switch (leaf.constraint_type) {
    case "range":
      return NUMBER;
    case "decimal":
      return NUMBER | STRING;
    case "prefix":
    case "email":
    case "path":
    case "url":
      return STRING;
    case "contains":
    case "subset":
      return ARRAY;
    default:
      return NUMBER | STRING | ARRAY | OTHER;
  }
}

/** For two of one type; `undefined` when nothing is known. */
function shareNothing(a: Known, b: Known): boolean | undefined {
  if (a.constraint_type === "range" && b.constraint_type === "range") return !commonRange(a, b);
  if (a.constraint_type === "decimal" && b.constraint_type === "decimal") return !commonDecimals(a, b);
  if (a.constraint_type === "url" && b.constraint_type === "url")
    return commonBase(a.base, b.base) === undefined;
  if (a.constraint_type === "prefix" && b.constraint_type === "prefix")
    return !a.prefix.startsWith(b.prefix) && !b.prefix.startsWith(a.prefix);
  if (a.constraint_type === "email" && b.constraint_type === "email")
    return !emailWithin(a, b) && !emailWithin(b, a);
  if (a.constraint_type === "path" && b.constraint_type === "path")
    return !folderWithin(a.under, b.under) && !folderWithin(b.under, a.under);
  return undefined;
}
