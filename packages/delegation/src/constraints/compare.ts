import type { AatTools, ConstraintMap, Known } from "./constraint.ts";
import { type Effort, newEffort } from "./effort.ts";
import type { Wider } from "../error.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { placeOf } from "./place.ts";
import { subsumes } from "./subsume.ts";
import { readTools } from "./tools.ts";

/** Where a child is wider, and the part of step 4p that says so. */
export interface Widening extends Wider {
  readonly rule: "p1" | "p2" | "p3" | "p4";
}

/**
 * Everything in which `child` is wider than `parent`; empty exactly when step 4p of the draft accepts the pair.
 * Throws `malformed_grant`.
 */
export function compareGrants(parent: AatTools, child: AatTools): readonly Wider[] {
  return placesIn(widenings(readTools(parent, DEFAULT_LIMITS), readTools(child, DEFAULT_LIMITS)));
}

/** Without the rule, which only verification names. */
export function placesIn(found: readonly Widening[]): readonly Wider[] {
  return found.map(({ path, parent, child }) => ({ path, parent, child }));
}

/** Section 4, "Keys and tools", on well-formed, normal tools. A chain's pairs share their effort. */
export function widenings(
  parent: AatTools,
  child: AatTools,
  effort: Effort = newEffort(),
): readonly Widening[] {
  const found: Widening[] = [];
  for (const tool of Object.keys(child)) {
    if (Object.hasOwn(parent, tool)) compareMaps(tool, parent[tool]!, child[tool]!, found, effort);
    else found.push({ rule: "p1", path: placeOf(tool), parent: "not granted", child: "granted" });
  }
  return found;
}

function compareMaps(
  tool: string,
  parent: ConstraintMap,
  child: ConstraintMap,
  found: Widening[],
  effort: Effort,
): void {
  const parentOpen = Object.hasOwn(parent, "*");
  const childOpen = Object.hasOwn(child, "*");
  const add = (rule: Widening["rule"], name: string, held: string, asked: string): unknown =>
    found.push({ rule, path: placeOf(tool, name), parent: held, child: asked });

  if (childOpen && !parentOpen) add("p2", "*", "named arguments only", "any argument");
  for (const name of Object.keys(child)) {
    if (name === "*") continue;
    const asked = child[name]!;
    if (!Object.hasOwn(parent, name)) {
      // Under the parent's "*" any constraint is narrower, and any requirement is new.
      if (!parentOpen) add("p2", name, "not named", asked.constraint_type);
      continue;
    }
    const held = parent[name]!;
    if (held.optional !== true && asked.optional === true) add("p3", name, "required", "optional");
    if (!subsumes(held as Known, asked as Known, effort))
      add("p4", name, held.constraint_type, asked.constraint_type);
  }
  for (const name of Object.keys(parent)) {
    if (name === "*" || Object.hasOwn(child, name)) continue;
    if (parent[name]!.optional !== true) add("p2", name, "required", "left out");
    else if (childOpen) add("p2", name, parent[name]!.constraint_type, "any value");
  }
}
