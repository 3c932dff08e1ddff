import type { CedarValueJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { Json } from "@behest/jws";
import { named } from "../action/arguments.ts";
import type { Argument } from "./types.ts";

/** An argument is not what the schema declares. Its message names the declared path, never the value. */
export class Unfit extends Error {}

/** Arguments as policies see them. */
export interface Shown {
  readonly args: { [name: string]: CedarValueJson };
  /** Nothing was left out. */
  readonly complete: boolean;
}

const NUMBER = /^-?[0-9]{1,15}(?:\.[0-9]{1,4})?$/;

/**
 * What the schema declares of the arguments, by its types: what it does not declare is left out. A required one that
 * is missing, and any of another type, throws {@link Unfit}: a policy that looks at it must not pass it over.
 */
export function show(type: Argument, args: Json): Shown {
  const left = { out: false };
  const shown = value(type, named(args), "args", left);
  return { args: shown as Shown["args"], complete: !left.out };
}

/** Text of a decimal as Cedar reads it, at most four places; undefined for what is none. */
export function decimalOf(number: Json): string | undefined {
  const text = typeof number === "number" ? String(number) : number;
  if (typeof text !== "string" || !NUMBER.test(text)) return undefined;
  const written = text.includes(".") ? text : `${text}.0`;
  return Math.abs(Number(text)) < MOST ? written : undefined;
}

/** Cedar's decimals are 64-bit integers of ten-thousandths; what comes near their end is none. */
const MOST = 922_337_203_685_477;

function value(type: Argument, given: Json, path: string, left: { out: boolean }): CedarValueJson {
  switch (type.kind) {
    case "String":
      if (typeof given === "string") return given;
      break;
    case "Bool":
      if (typeof given === "boolean") return given;
      break;
    case "Long":
      if (Number.isSafeInteger(given)) return given as number;
      break;
    case "decimal": {
      const text = decimalOf(given);
      if (text !== undefined) return extension("decimal", text);
      break;
    }
    case "datetime":
    case "duration":
      if (typeof given === "string") return extension(type.kind, given);
      break;
    case "ipaddr":
      if (typeof given === "string") return extension("ip", given);
      break;
    case "Set":
      if (Array.isArray(given)) return given.map((item: Json) => value(type.element, item, path, left));
      break;
    case "Record":
      if (typeof given === "object" && given !== null && !Array.isArray(given))
        return record(type, given as { readonly [name: string]: Json }, path, left);
  }
  throw new Unfit(`${path} is not the ${type.kind} that the policies' schema declares`);
}

function record(
  { members }: Extract<Argument, { kind: "Record" }>,
  given: { readonly [name: string]: Json },
  path: string,
  left: { out: boolean },
): CedarValueJson {
  const shown: { [name: string]: CedarValueJson } = {};
  let taken = 0;
  for (const { name, required, type } of members) {
    // What may be missing may be null.
    if (Object.hasOwn(given, name) && (required || given[name] !== null)) {
      taken++;
      shown[name] = value(type, given[name]!, `${path}.${name}`, left);
    } else if (required) throw new Unfit(`${path}.${name} is missing, which the policies' schema requires`);
  }
  left.out ||= taken < Object.keys(given).length;
  return shown;
}

function extension(fn: string, arg: string): CedarValueJson {
  return { __extn: { fn, arg } };
}
