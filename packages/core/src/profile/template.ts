import type { Json } from "@behest/jws";
import { argumentsOf } from "../policy/allowlisted.ts";

/**
 * A text that is read out of a call's arguments: `iban:{iban}` with `{"iban": "DE1"}` is `iban:DE1`.
 *
 *   template = *( literal / "{" name "}" )   ; neither holds a brace, and names stand apart
 *
 * A name is an argument's, at the top level. What it stands for is a text that is not empty, a number or a truth
 * value; anything else, and an argument that is absent, throws. So does a value that the literal behind it does not
 * end: no two calls that differ in what a template names may read the same.
 */
export type Template = (args: Json) => string;

const PARTS = /^([^{}]*)((?:\{[^{}]+\}[^{}]+)*(?:\{[^{}]+\})?)$/;
const NAMED = /\{([^{}]+)\}([^{}]*)/g;

/** Undefined for what is no template. */
export function parseTemplate(text: string): Template | undefined {
  const [whole, before, rest] = PARTS.exec(text) ?? [];
  if (!whole) return undefined;
  const named = [...rest!.matchAll(NAMED)] as unknown as readonly [string, string, string][];
  return (args) => {
    const given = new Map(argumentsOf(args));
    return named.reduce((read, [, name, behind]) => read + said(given.get(name), behind) + behind, before!);
  };
}

function said(value: Json | undefined, behind: string): string {
  const text = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  if (
    typeof text !== "string" ||
    text === "" ||
    (behind !== "" && (text + behind).indexOf(behind) < text.length)
  )
    throw new TypeError("an argument does not fit the template that names it");
  return text;
}
