import { type AatTools, type Constraint, type Json, is } from "@behest/delegation";
import type { DelegationRow, Limit, Schema, ToolSpec } from "./recordings.ts";

/**
 * What a person delegates for a task, as a delegation carries it. Grants only: one that is to be approved
 * (`pinned: false`) is a grant like any other, a value that is to be asked about (`onViolation`) is outside (for both
 * see policed.ts), and how often (`maxCalls`) is not looked at.
 */
export function toolsOf(row: DelegationRow, specs: readonly ToolSpec[]): AatTools {
  return Object.fromEntries(
    row.grants.map(({ tool, constraints }) => {
      const { parameters } = specs.find(({ name }) => name === tool)!;
      const named = Object.entries(constraints).map(([name, limit]) => [
        name,
        constraintOf(limit, parameters, name),
      ]);
      return [tool, named.length === 0 ? { "*": is.any.constraint } : Object.fromEntries(named)];
    }),
  );
}

export function anything(specs: readonly ToolSpec[]): AatTools {
  return Object.fromEntries(specs.map(({ name }) => [name, { "*": is.any.constraint }]));
}

/** Closed world: an argument that its tool does not require may be absent, and null where that says the same. */
function constraintOf(limit: Limit, { properties, required }: Schema, name: string): Constraint {
  const own = limited(limit);
  if (required?.includes(name)) return own;
  if (properties?.[name]?.default !== null) return { ...own, optional: true };
  const nothing = { constraint_type: "exact", value: null };
  return { constraint_type: "any", constraints: [own as Json, nothing], optional: true };
}

function limited(limit: Limit): Constraint {
  switch (limit.kind) {
    case "any":
      return is.any.constraint;
    case "exact":
      return { constraint_type: "exact", value: limit.value };
    case "oneOf":
      return is.oneOf(...limit.value).constraint;
    case "subsetOf":
      return { constraint_type: "subset", allowed: limit.value.map(item) };
    case "range":
      return { constraint_type: "range", ...limit.value };
    case "empty":
      return { constraint_type: "one_of", values: [null, []] };
    case "host":
      return is.either(...limit.value.map(host)).constraint;
    default:
      throw new TypeError(`unknown kind ${(limit satisfies never as Limit).kind}`);
  }
}

/** An object stands as its JSON text. */
function item(text: string): Json {
  return text.startsWith("{") ? (JSON.parse(text) as Json) : text;
}

/** Two out of three recorded addresses have no scheme, and `url` knows none without; their host is plain to see. */
const host = (address: string) =>
  is.either(
    is.url(`https://${address}`),
    is.url(`http://${address}`),
    is.oneOf(address),
    is.prefix(`${address}/`),
  );
