import type { Json } from "@behest/delegation";

/**
 * What the SDK hands around (prompts, answers, tool definitions) as JSON: bytes become base64, URLs
 * and dates their text, lone surrogates U+FFFD; what JSON does not know is left out. A copy: the value stays as it is.
 */
export function toJson(value: unknown): Json {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : value.toWellFormed();
    case "number":
      return Number.isFinite(value) ? value : null;
    case "boolean":
      return value;
    case "bigint":
      return String(value);
    case "object":
      return value === null ? null : ofObject(value);
    default:
      return null;
  }
}

function ofObject(value: object): Json {
  if (Array.isArray(value)) return value.map((item) => toJson(item));
  if (Object.getPrototypeOf(value) !== Object.prototype) {
    if (value instanceof Uint8Array)
      return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
    if ("toJSON" in value && typeof value.toJSON === "function") return toJson(value.toJSON());
  }
  const json: { [name: string]: Json } = {};
  for (const name of Object.keys(value)) {
    const member = (value as { [name: string]: unknown })[name];
    if (member === undefined || typeof member === "function" || typeof member === "symbol") continue;
    // As JSON.parse does it: an assignment would set the prototype.
    if (name === "__proto__") Object.defineProperty(json, name, { value: toJson(member), enumerable: true });
    else json[name.toWellFormed()] = toJson(member);
  }
  return json;
}
