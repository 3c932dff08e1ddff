import type { Json } from "@behest/jws";
import type { ConstraintMap } from "./constraint.ts";
import { isDecimalRule } from "./decimal.ts";
import { isEmailRule } from "./email.ts";
import type { VerificationLimits } from "../limits.ts";
import { isFolder } from "./path.ts";
import { normalBase } from "./url.ts";

type Members = { readonly [name: string]: Json | undefined };

/** For each type: the members it may have beside `constraint_type` and `optional`, and whether they are right. */
interface Shape {
  readonly members: readonly string[];
  readonly valid: (constraint: Members) => boolean;
}

const list = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

const SHAPES: ReadonlyMap<Json | undefined, Shape> = new Map<Json | undefined, Shape>([
  ["exact", { members: ["value"], valid: (c) => isScalar(c["value"]) }],
  ["range", { members: ["min", "max", "min_inclusive", "max_inclusive"], valid: isRange }],
  ["one_of", { members: ["values"], valid: (c) => list(c["values"]) && c["values"].length > 0 }],
  ["not_one_of", { members: ["excluded"], valid: (c) => list(c["excluded"]) }],
  ["contains", { members: ["required"], valid: (c) => list(c["required"]) }],
  ["subset", { members: ["allowed"], valid: (c) => list(c["allowed"]) }],
  ["wildcard", { members: [], valid: () => true }],
  ["all", { members: ["constraints"], valid: (c) => list(c["constraints"]) && c["constraints"].length > 0 }],
  ["any", { members: ["constraints"], valid: (c) => list(c["constraints"]) && c["constraints"].length > 0 }],
  ["prefix", { members: ["prefix"], valid: (c) => typeof c["prefix"] === "string" && c["prefix"] !== "" }],
  ["email", { members: ["address", "domain"], valid: isEmailRule }],
  ["path", { members: ["under"], valid: (c) => typeof c["under"] === "string" && isFolder(c["under"]) }],
  [
    "url",
    { members: ["base"], valid: (c) => typeof c["base"] === "string" && normalBase(c["base"]) === c["base"] },
  ],
  ["decimal", { members: ["min", "max"], valid: isDecimalRule }],
]);

/**
 * What is wrong with a tool's constraint map (section 3.4, "well-formed"): the argument's name, or
 * `undefined` when nothing is. Numbers must have been settled before.
 */
export function malformedArgument(map: ConstraintMap, limits: VerificationLimits): string | undefined {
  const room = { left: limits.maxConstraints };
  for (const name of Object.keys(map)) {
    const constraint = map[name]!;
    if (!isWellFormed(constraint, limits.maxConstraintDepth, room, true)) return name;
    // "*" opens the map: nothing but a bare wildcard may stand there.
    if (name === "*" && (constraint.constraint_type !== "wildcard" || Object.hasOwn(constraint, "optional")))
      return name;
  }
  return undefined;
}

function isWellFormed(value: unknown, depth: number, room: { left: number }, top: boolean): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  if (!(depth >= 1 && room.left-- >= 1)) return false;
  const constraint = value as Members;
  // A Map, so that "__proto__" and "constructor" are types nobody knows.
  const shape = SHAPES.get(
    Object.hasOwn(constraint, "constraint_type") ? constraint["constraint_type"] : undefined,
  );
  if (!shape) return false;
  for (const name of Object.keys(constraint)) {
    if (name === "constraint_type" || shape.members.includes(name)) continue;
    if (name !== "optional" || !top || typeof constraint["optional"] !== "boolean") return false;
  }
  if (!shape.valid(constraint)) return false;
  const clauses = constraint["constraints"];
  return !list(clauses) || clauses.every((clause) => isWellFormed(clause, depth - 1, room, false));
}

function isScalar(value: Json | undefined): boolean {
  return value !== undefined && (typeof value !== "object" || value === null);
}

/** Bounds are numbers in order; an inclusive flag is a boolean and stands only beside its bound. */
function isRange(c: Members): boolean {
  for (const bound of ["min", "max"]) {
    const flag = `${bound}_inclusive`;
    if (Object.hasOwn(c, bound) ? !Number.isFinite(c[bound]) : Object.hasOwn(c, flag)) return false;
    if (Object.hasOwn(c, flag) && typeof c[flag] !== "boolean") return false;
  }
  return c["min"] === undefined || c["max"] === undefined || (c["min"] as number) <= (c["max"] as number);
}
