import { type Json, canonical, parseJson } from "@behest/jws";
import { check } from "./check.ts";
import type { AatTools, Known } from "./constraint.ts";
import { DelegationError } from "../error.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { parseWritten, settle } from "../token/number.ts";
import { placeOf } from "./place.ts";
import { isObject } from "../token/token.ts";

export type Arguments = { readonly [argument: string]: Json };

export interface ArgumentRefusal {
  readonly code: "tool_not_granted" | "argument_not_granted";
  /** `tools.<tool>` or `tools.<tool>.<argument>`. */
  readonly path: string;
  /** The constraint type that was not met, and the argument's name, cut short where it is long; absent when the argument is not named at all. */
  readonly constraint?: string;
  readonly argument?: string;
}

/**
 * Step 6b: whether a call stays inside verified tools; `undefined` when it does. Pure and synchronous.
 * `args` is a parsed JSON object whose numbers are as they were written. Closed-world: an argument that is not
 * named passes only under `"*"`, a required one must be there, and one named `*` counts as not named.
 */
export function checkArguments(tools: AatTools, tool: string, args: Arguments): ArgumentRefusal | undefined {
  // Own properties only: "__proto__" and "constructor" are ordinary names here.
  if (!Object.hasOwn(tools, tool)) return { code: "tool_not_granted", path: placeOf(tool) };
  const map = tools[tool]!;
  const named = Object.keys(map);
  const open = named.length === 0 || Object.hasOwn(map, "*");
  for (const name of Object.keys(args)) {
    // An argument that is itself named "*" meets the wildcard there, or nothing.
    if (Object.hasOwn(map, name)) {
      const constraint = map[name]!;
      if (!check(constraint as Known, args[name]!)) return refusal(tool, name, constraint.constraint_type);
    } else if (!open) return refusal(tool, name);
  }
  for (const name of named)
    if (name !== "*" && map[name]!.optional !== true && !Object.hasOwn(args, name))
      return refusal(tool, name, map[name]!.constraint_type);
  return undefined;
}

function refusal(tool: string, argument: string, constraint?: string): ArgumentRefusal {
  const path = placeOf(tool, argument);
  if (constraint === undefined) return { code: "argument_not_granted", path };
  return { code: "argument_not_granted", path, constraint, argument: path.slice(placeOf(tool).length + 1) };
}

/**
 * Arguments as a plain object of admissible numbers. `most`: UTF-16 units of their JSON, default what a proof can hold
 * at most. Throws `malformed_arguments`.
 */
export function readArguments(
  args: Arguments | string,
  step?: string,
  most: number = DEFAULT_LIMITS.maxChainSize,
): Arguments {
  const fail = (what: string, cause?: unknown): never => {
    throw new DelegationError("malformed_arguments", `args: ${what}`, {
      step,
      ...(cause !== undefined && { cause }),
    });
  };
  let value: Json | undefined;
  try {
    const text = typeof args === "string" ? args : canonical(args);
    if (!(text.length <= most)) return fail(`longer than ${most}, which no proof is`);
    const written = typeof args === "string" ? parseWritten(text) : { value: parseJson(text), exact: true };
    value = written.exact ? written.value : settle(written.value);
  } catch (cause) {
    if (DelegationError.isInstance(cause)) throw cause;
    return fail("not strict JSON", cause);
  }
  if (value === undefined) return fail("a number is not exactly representable; pass it as a string");
  return isObject(value) ? value : fail("not a JSON object");
}
