import type { Json } from "@behest/jws";

/** One member of `bhst`: its form on the wire, and its monotone rule. */
export interface Member<T extends Json> {
  /** The value when it is well-formed, `undefined` otherwise. */
  read(value: Json): T | undefined;
  /** `"root"`: only an issuer gives it, and no child adds one. */
  readonly given?: "root";
  /** `child` is equal to `parent` or tighter: whatever satisfies it satisfies `parent`. */
  keeps(parent: T, child: T): boolean;
  /** What a child gets that asks for `wanted` without repeating the rest of what its parent carries. */
  over(parent: T, wanted: T): T;
  /** The loosest value that keeps both; `undefined` when there is none. */
  meet(a: T, b: T): T | undefined;
}

/** A JSON object of at least one and nothing but these members. */
export function closed(value: Json, names: readonly string[]): { readonly [name: string]: Json } | undefined {
  const object = members(value);
  return object && Object.keys(object).every((name) => names.includes(name)) ? object : undefined;
}

/** A JSON object of at least one member. */
export function members(value: Json): { readonly [name: string]: Json } | undefined {
  const object = asObject(value);
  return object && Object.keys(object).length > 0 ? object : undefined;
}

export function asObject(value: Json): { readonly [name: string]: Json } | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: Json })
    : undefined;
}

export function isCount(value: Json | undefined, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

export function isName(value: Json | undefined): value is string {
  return typeof value === "string" && value !== "" && value.length <= 256 && value.isWellFormed();
}
