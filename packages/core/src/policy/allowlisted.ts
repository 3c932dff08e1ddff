import type { Constraint, ConstraintMap, Json } from "@behest/delegation";
import { named } from "../action/arguments.ts";

type Given = readonly (readonly [name: string, value: Json])[];

export function argumentsOf(args: Json): Given {
  return Object.entries(named(args));
}

/**
 * The arguments that decide where an effect lands: those that the profile names, else all. None of them given, and it
 * names some, that may be a slip of the pen: then all again.
 */
export function controlOf(control: readonly string[] | undefined, args: Json): Given {
  const given = argumentsOf(args);
  if (!control) return given;
  const named = given.filter(([name]) => control.includes(name));
  return named.length > 0 || control.length === 0 ? named : given;
}

/**
 * Whether the delegation holds each argument that decides where the effect lands to an allow-list: something that
 * says what it may be, and not only what it may not. An argument that is not given cannot steer anything.
 */
export function allowlisted(
  map: ConstraintMap | undefined,
  control: readonly string[] | undefined,
  args: Json,
): boolean {
  return controlOf(control, args).every(([name]) => isHeld(map, name));
}

export function isHeld(map: ConstraintMap | undefined, name: string): boolean {
  return map !== undefined && name !== "*" && Object.hasOwn(map, name) && isNarrow(map[name]!);
}

/** "https://", "//" or nothing is the beginning of any address; so is "www", but not "www.example.com/". */
const ANY_ADDRESS = /^(?:(?:[a-z][a-z0-9+.-]*:)?[/\\]{0,2}|[a-z][a-z0-9+.-]*)$/i;

function isNarrow(constraint: Constraint): boolean {
  const clauses = (constraint["constraints"] ?? []) as unknown as readonly Constraint[];
  switch (constraint.constraint_type) {
    case "exact":
    case "one_of":
    case "subset":
    case "email":
    case "url":
      return true;
    case "range":
    case "decimal":
      return constraint["min"] !== undefined || constraint["max"] !== undefined;
    case "prefix":
      return !ANY_ADDRESS.test(String(constraint["prefix"]));
    case "path":
      return constraint["under"] !== "/";
    case "all":
      return clauses.some(isNarrow);
    case "any":
      return clauses.length > 0 && clauses.every(isNarrow);
    default:
      return false;
  }
}
