import type { Json } from "@behest/delegation";

/**
 * What the SDK hands around (prompts, answers, tool definitions) as JSON: bytes become base64, URLs
 * and dates their text, lone surrogates U+FFFD; what JSON does not know is left out. A copy: the value stays as it is.
 */
export function toJson(value: unknown): Json {
  const text = JSON.stringify(value, plain) ?? "null";
  return JSON.parse(text.includes("\\ud") ? text.replaceAll(ESCAPE, wellFormed) : text) as Json;
}

function plain(this: { readonly [name: string]: unknown }, name: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object") return value;
  // Before its own toJSON, which Buffer has.
  const given = this[name];
  if (!(given instanceof Uint8Array)) return value;
  return Buffer.from(given.buffer, given.byteOffset, given.byteLength).toString("base64");
}

/** One escape in a JSON text, whole: a backslash that is itself escaped begins none. */
const ESCAPE = /\\(?:u[0-9a-f]{4}|.)/g;

/** Only of lone surrogates is the escape written. */
function wellFormed(escape: string): string {
  return escape.startsWith("\\ud") ? "\ufffd" : escape;
}
