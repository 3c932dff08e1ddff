import { type Json, canonical, parseJson } from "@behest/jws";
import type { AatTools, ConstraintMap } from "./constraint.ts";
import { DelegationError } from "../error.ts";
import type { VerificationLimits } from "../limits.ts";
import { placeOf } from "./place.ts";
import { isObject } from "../token/token.ts";
import { malformedArgument } from "./wellformed.ts";

const OPEN: ConstraintMap = { "*": { constraint_type: "wildcard" } };

/** An object of objects (3m, 4n). */
export function areTools(value: unknown): value is AatTools {
  return isObject(value) && Object.keys(value).every((tool) => isObject(value[tool]));
}

/** The path of the first thing that is not well-formed or over a limit (3n, 4o). */
export function malformedTool(tools: AatTools, limits: VerificationLimits): string | undefined {
  const names = Object.keys(tools);
  if (!(names.length <= limits.maxTools)) return "tools";
  for (const tool of names) {
    const argument = malformedArgument(tools[tool]!, limits);
    if (argument !== undefined) return placeOf(tool, argument);
  }
  return undefined;
}

/** With every `{}` spelt out as `{"*": wildcard}`. */
export function normalTools(tools: AatTools): AatTools {
  const names = Object.keys(tools);
  if (names.every((tool) => hasMember(tools[tool]!))) return tools;
  return Object.fromEntries(names.map((tool) => [tool, hasMember(tools[tool]!) ? tools[tool]! : OPEN]));
}

function hasMember(map: ConstraintMap): boolean {
  for (const name in map) if (Object.hasOwn(map, name)) return true;
  return false;
}

/**
 * Tools that a caller wrote → a plain JSON copy, well-formed and normal, that nobody else can change.
 * Throws `malformed_grant` with the path.
 */
export function readTools(value: AatTools, limits: VerificationLimits): AatTools {
  let tools: Json;
  try {
    tools = parseJson(canonical(value));
  } catch (cause) {
    throw new DelegationError("malformed_grant", "tools: not plain JSON", { cause });
  }
  if (!areTools(tools))
    throw new DelegationError("malformed_grant", "tools: expected tool → argument → constraint");
  const path = malformedTool(tools, limits);
  if (path !== undefined)
    throw new DelegationError(
      "malformed_grant",
      `${path}: not a well-formed constraint; write it with "is" or see section 3.4 of the draft`,
    );
  return normalTools(tools);
}
