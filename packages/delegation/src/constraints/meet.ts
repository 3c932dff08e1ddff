import type { Json } from "@behest/jws";
import { apart } from "./apart.ts";
import type { Known } from "./constraint.ts";
import { commonDecimals } from "./decimal.ts";
import { type Effort, spend, spendOn } from "./effort.ts";
import { distinct, shared } from "./equality.ts";
import { rewrap, within } from "./narrow.ts";
import { commonRange } from "./range.ts";
import { subsumes } from "./subsume.ts";
import { commonBase } from "./url.ts";
import { finite, oneOf, passing } from "./values.ts";

/*
 * What two constraints have in common, in a form that section 4's table accepts under the first. Three things hold
 * for every result: the table accepts it under the parent; it admits nothing that either refuses; and where the
 * wanted constraint is within the parent as `rewrap` finds it, it admits exactly what was wanted. It is the largest
 * such form where the table has one; where it has several, none of which holds the others, the first in the order in
 * which the alternatives were asked for.
 */

/** `undefined`: nothing in common, nothing that the table can say, or not enough effort left to find it. */
export function meet(parent: Known, wanted: Known, effort: Effort): Known | undefined {
  return rewrap(parent, wanted, effort) ?? reduced(parent, wanted, effort);
}

/** The same for what is known not to be within the parent: {@link rewrap} found no form of it. */
export function reduced(parent: Known, wanted: Known, effort: Effort): Known | undefined {
  // It takes many steps to find what two clauses have in common.
  if (!spend(effort, 128)) return undefined;
  if (parent.constraint_type === "one_of" && wanted.constraint_type === "one_of") {
    const values = shared(parent.values, wanted.values);
    return values.length > 0 && spendOn(effort, values) ? oneOf(values) : undefined;
  }
  if (apart(parent, wanted, effort)) return undefined;
  const found = within(wanted, parent, effort)
    ? parent
    : (listed(parent, wanted, effort) ?? combined(parent, wanted, effort));
  return found && subsumes(parent, found, effort) ? found : undefined;
}

/** Where one of them is a list of values: those that pass the other. */
function listed(parent: Known, wanted: Known, effort: Effort): Known | undefined {
  const values = finite(wanted, effort);
  const held = values ?? finite(parent, effort);
  const common = held && passing(values ? parent : wanted, held, effort);
  return common && common.length > 0 ? rewrap(parent, oneOf(common), effort) : undefined;
}

function combined(parent: Known, wanted: Known, effort: Effort): Known | undefined {
  if (parent.constraint_type === "all") return underAll(parent.constraints, wanted, effort);
  if (parent.constraint_type === "any") return underAny(parent.constraints, wanted, effort);
  if (wanted.constraint_type === "any") return widest(meets(parent, wanted.constraints, effort), effort);
  if (wanted.constraint_type === "all") {
    // A clause that has no form of its own may still hold for what the others leave.
    const left = wanted.constraints.reduce((kept, clause) => meet(kept, clause, effort) ?? kept, parent);
    return within(wanted, left, effort) ? left : undefined;
  }
  return ofOneType(parent, wanted);
}

/** The wanted clauses, and those of the parent that none of them satisfies in the table. */
function underAll(clauses: readonly Known[], wanted: Known, effort: Effort): Known {
  const own = wanted.constraint_type === "all" ? wanted.constraints : [wanted];
  const missing = clauses.filter((clause) => !own.some((narrower) => subsumes(clause, narrower, effort)));
  return { constraint_type: "all", constraints: [...own, ...missing] };
}

function underAny(clauses: readonly Known[], wanted: Known, effort: Effort): Known | undefined {
  const alternatives = wanted.constraint_type === "any" ? wanted.constraints : [wanted];
  const found = clauses.flatMap((clause) =>
    // These take all alternatives at once.
    clause.constraint_type === "all" || clause.constraint_type === "any"
      ? meets(clause, [wanted], effort)
      : meets(clause, alternatives, effort),
  );
  const constraints = distinct(found as readonly Json[]) as readonly Known[];
  return constraints.length === 0 ? undefined : { constraint_type: "any", constraints };
}

function meets(parent: Known, wanted: readonly Known[], effort: Effort): readonly Known[] {
  return wanted.flatMap((clause) => meet(parent, clause, effort) ?? []);
}

function widest(found: readonly Known[], effort: Effort): Known | undefined {
  const [first, ...rest] = found;
  return first && rest.reduce((kept, form) => (within(form, kept, effort) ? form : kept), first);
}

function ofOneType(parent: Known, wanted: Known): Known | undefined {
  if (parent.constraint_type === "range" && wanted.constraint_type === "range")
    return commonRange(parent, wanted);
  if (parent.constraint_type === "not_one_of" && wanted.constraint_type === "not_one_of")
    return { ...parent, excluded: distinct([...parent.excluded, ...wanted.excluded]) };
  if (parent.constraint_type === "contains" && wanted.constraint_type === "contains")
    return { ...parent, required: distinct([...parent.required, ...wanted.required]) };
  if (parent.constraint_type === "subset" && wanted.constraint_type === "subset")
    return { ...parent, allowed: shared(parent.allowed, wanted.allowed) };
  if (parent.constraint_type === "decimal" && wanted.constraint_type === "decimal")
    return commonDecimals(parent, wanted);
  if (parent.constraint_type === "url" && wanted.constraint_type === "url") {
    const base = commonBase(parent.base, wanted.base);
    return base === undefined ? undefined : { ...parent, base };
  }
  return undefined;
}
