import { FormatError } from "./error.ts";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [k: string]: Json };

/** Nesting that {@link parseJson} and {@link canonical} accept; constraints 32 deep take 68. */
export const MAX_DEPTH = 128;

/**
 * Canonical JSON (RFC 8785): sorted by UTF-16 units, no white space, ECMAScript numbers.
 * Only plain JSON values pass: `undefined`, functions, class instances, `toJSON`, sparse arrays, NaN,
 * lone surrogates, symbols, accessors and cycles are `not_json`; deeper than {@link MAX_DEPTH} is `too_deep`.
 */
export function canonical(value: unknown): string {
  return write(value, 0, false);
}

/** The same, but a member that is `undefined` is absent, as it is for JSON.stringify. */
export function canonicalPresent(value: unknown): string {
  return write(value, 0, true);
}

function write(value: unknown, depth: number, present: boolean): string {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) throw new FormatError("not_json", "a string holds a lone surrogate");
      return JSON.stringify(value);
    case "number":
      if (!Number.isFinite(value)) throw new FormatError("not_json", "a number is not finite");
      return Object.is(value, -0) ? "0" : String(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      break;
    default:
      throw new FormatError("not_json", `a ${typeof value} is not JSON`);
  }
  if (value === null) return "null";
  if (depth >= MAX_DEPTH) throw new FormatError("too_deep", `nested deeper than ${MAX_DEPTH}`);
  if (Array.isArray(value)) {
    let text = "[";
    for (let i = 0; i < value.length; i++) {
      if (!(i in value)) throw new FormatError("not_json", "an array has holes");
      text += (i ? "," : "") + write(value[i], depth + 1, present);
    }
    return text + "]";
  }
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== null && proto !== Object.prototype && !isForeignPlain(proto))
    throw new FormatError("not_json", "a class instance is not JSON");
  const names = Object.keys(value);
  if (Object.getOwnPropertySymbols(value).length)
    throw new FormatError("not_json", "a symbol key is not JSON");
  sortNames(names);
  let text = "{";
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const of = (value as Record<string, unknown>)[name];
    if (of === undefined && present) continue;
    text += (text.length > 1 ? "," : "") + member(name) + write(of, depth + 1, present);
  }
  return text + "}";
}

/** By UTF-16 code units (RFC 8785, 3.2.3), which is what `<` and the default sort compare. */
function sortNames(names: string[]): void {
  // The built-in sort copies whatever it is given, which for the usual handful of names is most of its cost.
  if (names.length > 32) return void names.sort();
  for (let i = 1; i < names.length; i++) {
    const name = names[i]!;
    let at = i;
    for (; at > 0 && name < names[at - 1]!; at--) names[at] = names[at - 1]!;
    names[at] = name;
  }
}

// The same few names come again and again; bounded, as a caller may be handed any number of them.
const quotedNames = new Map<string, string>();

/** `"name":` */
function member(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const text = canonical(name) + ":";
  if (quotedNames.size < 1000 && name.length < 64) quotedNames.set(name, text);
  return text;
}

/** `Object.prototype` of another realm (vm, iframe): a prototype-less object that owns `hasOwnProperty`. */
function isForeignPlain(proto: unknown): boolean {
  return Object.getPrototypeOf(proto) === null && Object.hasOwn(proto as object, "hasOwnProperty");
}

/**
 * JSON text → value, refusing what JSON.parse forgives: repeated member names (compared after
 * unescaping), lone surrogates, nesting beyond {@link MAX_DEPTH}.
 */
export function parseJson(text: string): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    // V8 quotes the text in its message: keep neither message nor cause.
    void cause;
    throw new FormatError("malformed_json", "not JSON");
  }
  const escapes = text.includes("\\u") || !text.isWellFormed();
  // JSON.parse keeps the last of two equal names: then fewer members exist than colons were written.
  if (members(value, 0, escapes) !== colons(text))
    throw new FormatError("duplicate_member", "a member name is repeated");
  return value;
}

function members(value: Json, depth: number, surrogates: boolean): number {
  if (typeof value === "string") {
    if (surrogates && !value.isWellFormed()) throw new FormatError("malformed_json", "a lone surrogate");
    return 0;
  }
  if (typeof value !== "object" || value === null) return 0;
  if (depth >= MAX_DEPTH) throw new FormatError("too_deep", `nested deeper than ${MAX_DEPTH}`);
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += members(item, depth + 1, surrogates);
    return count;
  }
  for (const name of Object.keys(value)) {
    if (surrogates && !name.isWellFormed()) throw new FormatError("malformed_json", "a lone surrogate");
    count += 1 + members((value as Record<string, Json>)[name]!, depth + 1, surrogates);
  }
  return count;
}

/** Colons outside strings; `text` is known to be JSON. */
function colons(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 58) count++;
    else if (c === 34) {
      for (i++; text.charCodeAt(i) !== 34; i++) if (text.charCodeAt(i) === 92) i++;
    }
  }
  return count;
}
