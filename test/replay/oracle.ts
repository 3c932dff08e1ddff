// A second, naive reading of the recordings, with nothing of ours in it: what is tested is held against it.
import { isDeepStrictEqual } from "node:util";
import type { Json } from "@behest/delegation";
import type { Call, DelegationRow, Limit, Schema } from "./recordings.ts";

/** Whether a call lies within the grants of a row. `schema`: of the tool's arguments. */
export function inside({ grants }: DelegationRow, { tool, args }: Call, schema: Schema | undefined): boolean {
  const grant = grants.find((one) => one.tool === tool);
  if (!grant || !schema) return false;
  const names = Object.keys(grant.constraints);
  if (names.length === 0) return true;
  if (Object.keys(args).some((name) => !names.includes(name))) return false;
  return names.every((name) => {
    const needed = schema.required?.includes(name) === true;
    const left =
      args[name] === undefined || (args[name] === null && schema.properties?.[name]?.default === null);
    return (left && !needed) || (args[name] !== undefined && meets(grant.constraints[name]!, args[name]));
  });
}

function meets(limit: Limit, value: Json): boolean {
  if (limit.kind === "any") return true;
  if (limit.kind === "empty") return value === null || (Array.isArray(value) && value.length === 0);
  if (limit.kind === "exact") return value === limit.value;
  if (limit.kind === "range") {
    const { min = -Infinity, max = Infinity } = limit.value;
    return typeof value === "number" && min <= value && value <= max;
  }
  if (limit.kind === "oneOf") return limit.value.some((one) => value === one);
  if (limit.kind === "subsetOf")
    return Array.isArray(value) && value.every((item: Json) => limit.value.some((one) => stands(one, item)));
  if (limit.kind === "host") {
    const address = typeof value === "string" ? value.replace(/^https?:\/\//, "") : "";
    return limit.value.some((one) => address === one || address.startsWith(`${one}/`));
  }
  return false;
}

function stands(text: string, item: Json): boolean {
  return typeof item === "string"
    ? text === item
    : text.startsWith("{") && isDeepStrictEqual(JSON.parse(text), item);
}

/** Whether a value is what a tool's own JSON Schema asks for; `root` is where `$ref` looks. */
export function fits(schema: Schema, value: Json, root: Schema = schema): boolean {
  if (schema.$ref) return fits(root.$defs![schema.$ref.replace("#/$defs/", "")]!, value, root);
  if (schema.anyOf) return schema.anyOf.some((one) => fits(one, value, root));
  if (schema.enum && !schema.enum.includes(value)) return false;
  switch (schema.type) {
    case "null":
      return value === null;
    case "integer":
      return Number.isInteger(value);
    case "array":
      return (
        Array.isArray(value) && value.every((item: Json) => !schema.items || fits(schema.items, item, root))
      );
    case "object": {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
      const members = value as Call["args"];
      return (
        (schema.required ?? []).every((name) => members[name] !== undefined) &&
        Object.entries(schema.properties ?? {}).every(
          ([name, one]) => members[name] === undefined || fits(one, members[name], root),
        )
      );
    }
    case undefined:
      return true;
    default:
      return typeof value === schema.type;
  }
}
