import { type Json, canonicalPresent } from "@behest/jws";
import type { Finding } from "../types.ts";

/** Arguments as they will be decided on, committed to and run: one value, parsed from its canonical text, frozen through and through. */
export interface Arguments {
  readonly value: Json;
  readonly text: string;
}

/** Throws FormatError `not_json` or `too_deep`. A member that is `undefined` is absent, as in JSON. */
export function freeze(args: unknown): Arguments {
  const text = canonicalPresent(args);
  return { value: deepFreeze(JSON.parse(text) as Json), text };
}

function deepFreeze(value: Json): Json {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member as Json);
    Object.freeze(value);
  }
  return value;
}

/** A tool that takes a bare value takes it under the name "input". */
export function named(args: Json): { readonly [argument: string]: Json } {
  return typeof args === "object" && args !== null && !Array.isArray(args)
    ? (args as { [name: string]: Json })
    : { input: args };
}

/** What is found of arguments that {@link freeze} refuses. */
export function notJson(tool: string): Finding {
  const message = `${tool}: its parsed arguments are not JSON, so what runs could not be what was decided on.`;
  return { check: "arguments", code: "args_not_json", message };
}
