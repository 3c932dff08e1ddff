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
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  if ("toJSON" in value && typeof value.toJSON === "function") return toJson(value.toJSON());
  const present = Object.entries(value).filter(([, member]) => !ABSENT.has(typeof member));
  return Object.fromEntries(present.map(([name, member]) => [name, toJson(member)]));
}

const ABSENT: ReadonlySet<string> = new Set(["undefined", "function", "symbol"]);
