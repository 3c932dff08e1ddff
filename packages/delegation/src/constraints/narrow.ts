import type { Json } from "@behest/jws";
import type { AatTools, Constraint, ConstraintMap, Known } from "./constraint.ts";
import { type Effort, newEffort, spendOn } from "./effort.ts";
import { includesAll } from "./equality.ts";
import { subsumes } from "./subsume.ts";
import { finite, oneOf, passing } from "./values.ts";

/*
 * Section 4's table is syntactic: `exact` under `any` and `range` under `all` are refused although narrower.
 * Here a wanted constraint is written in the form that the table accepts, when it is provably within the
 * parent. Two things hold for every result, and no other result is ever returned:
 * the table accepts it under the parent, and it admits exactly the values of what was wanted.
 */

/** Each constraint in the form the table accepts, where there is one; otherwise as it was. */
export function rewrapTools(parent: AatTools, wanted: AatTools): AatTools {
  const effort = newEffort();
  const tools = Object.entries(wanted).map(([tool, map]): [string, ConstraintMap] => [
    tool,
    Object.hasOwn(parent, tool) ? rewrapMap(parent[tool]!, map, effort) : map,
  ]);
  return Object.fromEntries(tools);
}

function rewrapMap(parent: ConstraintMap, wanted: ConstraintMap, effort: Effort): ConstraintMap {
  const entries = Object.entries(wanted).map(([name, constraint]): [string, Constraint] => {
    if (name === "*" || !Object.hasOwn(parent, name)) return [name, constraint];
    const { optional, ...bare } = constraint;
    const form = rewrap(parent[name] as Known, bare as Known, effort);
    return [
      name,
      form ? ({ ...form, ...(optional !== undefined && { optional }) } as Constraint) : constraint,
    ];
  });
  return Object.fromEntries(entries);
}

/** A form of `wanted` that `parent` subsumes, or `undefined`. */
export function rewrap(parent: Known, wanted: Known, effort: Effort = newEffort()): Known | undefined {
  if (subsumes(parent, wanted, effort)) return wanted;
  const single = onlyClause(wanted);
  if (single) return rewrap(parent, single, effort);
  switch (parent.constraint_type) {
    case "all":
      return underAll(parent.constraints, wanted, effort);
    case "any":
      return underAny(parent, wanted, effort);
    case "range":
    case "exact":
    case "one_of":
    case "prefix":
    case "email":
    case "path":
    case "url":
    case "decimal":
      return asValues(parent, wanted, effort);
    default:
      return undefined;
  }
}

/** `all` or `any` around one clause is that clause. */
function onlyClause(wanted: Known): Known | undefined {
  if (wanted.constraint_type !== "all" && wanted.constraint_type !== "any") return undefined;
  return wanted.constraints.length === 1 ? wanted.constraints[0] : undefined;
}

/** The wanted clauses, and those of the parent that none of them satisfies in the table but all of them imply. */
function underAll(clauses: readonly Known[], wanted: Known, effort: Effort): Known | undefined {
  const own = wanted.constraint_type === "all" ? wanted.constraints : [wanted];
  const missing = clauses.filter((clause) => !own.some((narrower) => subsumes(clause, narrower, effort)));
  if (!missing.every((clause) => within(clause, wanted, effort))) return undefined;
  return { constraint_type: "all", constraints: [...own, ...missing] };
}

/** Every alternative under one of the parent's; a list of values may be spread over several. */
function underAny(
  parent: Known & { constraint_type: "any" },
  wanted: Known,
  effort: Effort,
): Known | undefined {
  if (wanted.constraint_type === "any")
    return anyOf(wanted.constraints.map((clause) => rewrap(parent, clause, effort)));
  for (const clause of parent.constraints) {
    const form = rewrap(clause, wanted, effort);
    if (form) return { constraint_type: "any", constraints: [form] };
  }
  const values = finite(wanted, effort);
  if (!values || values.length < 2) return undefined;
  return anyOf(values.map((value) => rewrap(parent, oneOf([value]), effort)));
}

function anyOf(forms: readonly (Known | undefined)[]): Known | undefined {
  const clauses: Known[] = [];
  for (const form of forms) {
    if (!form) return undefined;
    if (form.constraint_type === "any") clauses.push(...form.constraints);
    else clauses.push(form);
  }
  return { constraint_type: "any", constraints: clauses };
}

/** A finite set of values, listed in the way the parent takes it. */
function asValues(parent: Known, wanted: Known, effort: Effort): Known | undefined {
  const values = finite(wanted, effort);
  if (!values || values.length === 0) return undefined;
  const forms = values.length === 1 ? [exact(values[0]!), oneOf(values)] : [oneOf(values)];
  return forms.find((form) => form && subsumes(parent, form, effort));
}

function exact(value: Json): Known | undefined {
  return typeof value === "object" && value !== null ? undefined : { constraint_type: "exact", value };
}

/**
 * Every value that `wanted` admits passes `clause`. Sound, not complete: it descends in one fixed order, so that
 * nested composites cost at most the product of their sizes.
 */
export function within(clause: Known, wanted: Known, effort: Effort): boolean {
  if (subsumes(clause, wanted, effort)) return true;
  if (clause.constraint_type === "all")
    return clause.constraints.every((part) => within(part, wanted, effort));
  const values = finite(wanted, effort);
  if (values)
    return clause.constraint_type === "one_of"
      ? spendOn(effort, [...clause.values, ...values]) && includesAll(clause.values, values)
      : passing(clause, values, effort)?.length === values.length;
  if (wanted.constraint_type === "any")
    return wanted.constraints.every((part) => within(clause, part, effort));
  if (clause.constraint_type === "any")
    return clause.constraints.some((part) => within(part, wanted, effort));
  if (clause.constraint_type === "not_one_of" && passing(wanted, clause.excluded, effort)?.length === 0)
    return true;
  return wanted.constraint_type === "all" && wanted.constraints.some((part) => within(clause, part, effort));
}
