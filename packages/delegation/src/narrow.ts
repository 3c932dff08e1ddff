import type { Json } from "@behest/jws";
import { check } from "./check.ts";
import type { AatTools, Constraint, ConstraintMap, Known } from "./constraint.ts";
import { distinct } from "./equality.ts";
import { subsumes } from "./subsume.ts";

/*
 * Section 4's table is syntactic: `exact` under `any` and `range` under `all` are refused although narrower.
 * Here a wanted constraint is written in the form that the table accepts, when it is provably within the
 * parent. Two things hold for every result, and no other result is ever returned:
 * the table accepts it under the parent, and it admits exactly the values of what was wanted.
 */

/** Each constraint in the form the table accepts, where there is one; otherwise as it was. */
export function rewrapTools(parent: AatTools, wanted: AatTools): AatTools {
  const tools = Object.entries(wanted).map(([tool, map]): [string, ConstraintMap] => [
    tool,
    Object.hasOwn(parent, tool) ? rewrapMap(parent[tool]!, map) : map,
  ]);
  return Object.fromEntries(tools);
}

function rewrapMap(parent: ConstraintMap, wanted: ConstraintMap): ConstraintMap {
  const entries = Object.entries(wanted).map(([name, constraint]): [string, Constraint] => {
    if (name === "*" || !Object.hasOwn(parent, name)) return [name, constraint];
    const { optional, ...bare } = constraint;
    const form = rewrap(parent[name] as Known, bare as Known);
    return [
      name,
      form ? ({ ...form, ...(optional !== undefined && { optional }) } as Constraint) : constraint,
    ];
  });
  return Object.fromEntries(entries);
}

/** A form of `wanted` that `parent` subsumes, or `undefined`. */
export function rewrap(parent: Known, wanted: Known): Known | undefined {
  if (subsumes(parent, wanted)) return wanted;
  const single = onlyClause(wanted);
  if (single) return rewrap(parent, single);
  switch (parent.constraint_type) {
    case "all":
      return underAll(parent.constraints, wanted);
    case "any":
      return underAny(parent, wanted);
    case "range":
    case "exact":
    case "one_of":
    case "prefix":
    case "email":
    case "path":
    case "url":
    case "decimal":
      return asValues(parent, wanted);
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
function underAll(clauses: readonly Known[], wanted: Known): Known | undefined {
  const own = wanted.constraint_type === "all" ? wanted.constraints : [wanted];
  const missing = clauses.filter((clause) => !own.some((narrower) => subsumes(clause, narrower)));
  if (!missing.every((clause) => within(clause, wanted))) return undefined;
  return { constraint_type: "all", constraints: [...own, ...missing] };
}

/** Every alternative under one of the parent's; a list of values may be spread over several. */
function underAny(parent: Known & { constraint_type: "any" }, wanted: Known): Known | undefined {
  if (wanted.constraint_type === "any")
    return anyOf(wanted.constraints.map((clause) => rewrap(parent, clause)));
  for (const clause of parent.constraints) {
    const form = rewrap(clause, wanted);
    if (form) return { constraint_type: "any", constraints: [form] };
  }
  const values = finite(wanted);
  if (!values || values.length < 2) return undefined;
  return anyOf(values.map((value) => rewrap(parent, oneOf([value]))));
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
function asValues(parent: Known, wanted: Known): Known | undefined {
  const values = finite(wanted);
  if (!values || values.length === 0) return undefined;
  const forms = values.length === 1 ? [exact(values[0]!), oneOf(values)] : [oneOf(values)];
  return forms.find((form) => form && subsumes(parent, form));
}

function exact(value: Json): Known | undefined {
  return typeof value === "object" && value !== null ? undefined : { constraint_type: "exact", value };
}

function oneOf(values: readonly Json[]): Known {
  return { constraint_type: "one_of", values };
}

/**
 * Every value that `wanted` admits passes `clause`. Sound, not complete: it descends in one fixed order, so that
 * nested composites cost at most the product of their sizes.
 */
function within(clause: Known, wanted: Known): boolean {
  if (subsumes(clause, wanted)) return true;
  const values = finite(wanted);
  if (values) return values.every((value) => check(clause, value));
  if (clause.constraint_type === "all") return clause.constraints.every((part) => within(part, wanted));
  if (wanted.constraint_type === "any") return wanted.constraints.every((part) => within(clause, part));
  if (clause.constraint_type === "any") return clause.constraints.some((part) => within(part, wanted));
  if (clause.constraint_type === "not_one_of" && clause.excluded.every((value) => !check(wanted, value)))
    return true;
  return wanted.constraint_type === "all" && wanted.constraints.some((part) => within(clause, part));
}

/** The values a constraint admits, when they can be listed. */
function finite(constraint: Known): readonly Json[] | undefined {
  switch (constraint.constraint_type) {
    case "exact":
      return [constraint.value];
    case "one_of":
      return distinct(constraint.values);
    case "range":
      return constraint.min !== undefined &&
        constraint.min === constraint.max &&
        check(constraint, constraint.min)
        ? [constraint.min]
        : undefined;
    case "all": {
      for (const clause of constraint.constraints) {
        const values = finite(clause);
        if (values) return values.filter((value) => check(constraint, value));
      }
      return undefined;
    }
    case "any": {
      const lists = constraint.constraints.map(finite);
      return lists.every((list) => list !== undefined) ? distinct(lists.flat()) : undefined;
    }
    default:
      return undefined;
  }
}
