import { type Json, canonical } from "@behest/jws";
import { type Effort, spend } from "./effort.ts";

/** Above this many scalars a set pays off, and keeps two hostile long lists from costing their product. */
export const FEW = 8;

/** Equality of JCS serialisations: `1` = `1.0`, `0` = `-0`, member order irrelevant, no Unicode normalisation. */
export function equal(a: Json, b: Json): boolean {
  if (isScalar(a) || isScalar(b)) return a === b;
  return canonical(a) === canonical(b);
}

function isMember(values: readonly Json[], value: Json): boolean {
  if (isScalar(value)) return values.includes(value);
  const text = canonical(value);
  return values.some((member) => !isScalar(member) && canonical(member) === text);
}

/**
 * Every element of `part` is a member of `whole`; both are read as sets. Objects are serialised once each: a few
 * large ones would otherwise be serialised again for every element of a long `part`.
 */
export function includesAll(whole: readonly Json[], part: readonly Json[]): boolean {
  if (part.length <= 1 || (whole.length <= FEW && whole.every(isScalar)))
    return part.every((value) => isMember(whole, value));
  const keys = new Set(whole.map(key));
  return part.every((value) => keys.has(key(value)));
}

/** The keys of a list, each once; `undefined` when there is not enough effort left. */
export function keysOf(values: readonly Json[], effort: Effort): ReadonlySet<Json> | undefined {
  const keys = new Set<Json>();
  for (const value of values) {
    const name = key(value);
    if (!spend(effort, typeof name === "string" ? 8 + name.length : 8)) return undefined;
    keys.add(name);
  }
  return keys;
}

/** The members of `some` that are members of `others` too. */
export function shared(some: readonly Json[], others: readonly Json[]): readonly Json[] {
  const keys = new Set(others.map(key));
  return some.filter((value) => keys.has(key(value)));
}

export function distinct(values: readonly Json[]): readonly Json[] {
  return [...new Map(values.map((value) => [key(value), value])).values()];
}

/** Equal keys, equal values, and the other way round; strings are tagged so that none can pose as an object's canonical text. */
function key(value: Json): Json {
  if (typeof value === "string") return `"${value}`;
  return isScalar(value) ? value : canonical(value);
}

export function isScalar(value: Json): value is string | number | boolean | null {
  return typeof value !== "object" || value === null;
}
