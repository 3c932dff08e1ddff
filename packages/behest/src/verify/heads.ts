import { type Json, parseJson } from "@behest/jws";
import { type Head, headOf, parseHead } from "@behest/provenance";
import { CliError } from "../error.ts";
import { readText } from "../file.ts";

/**
 * Heads that others hold, from a file: one `size:root` a line, or OpenTelemetry spans as OTLP JSON (whole, or one
 * object a line, as collectors write them), whose `behest.head` attributes are taken. Each once. Throws `malformed_input`,
 * also where there is none: a file that says nothing must not look like one that agrees.
 */
export async function headsIn(path: string): Promise<readonly Head[]> {
  const text = await readText(path);
  const heads = new Map<string, Head>();
  for (const found of textsIn(text)) {
    const head = headIn(found);
    if (!head) throw new CliError("malformed_input", `--heads: ${path} has a head that is not size:root.`);
    heads.set(headOf(head), head);
  }
  if (heads.size > 0) return [...heads.values()];
  throw new CliError("malformed_input", `--heads: ${path} has no head, neither on lines nor in spans.`);
}

function textsIn(text: string): string[] {
  const whole = json(text);
  if (whole !== undefined) return attributes(whole);
  const lines = text.split("\n").flatMap((line) => line.trim() || []);
  return lines.flatMap((line) => (line.startsWith("{") ? attributes(json(line) ?? line) : [line]));
}

/** Values of all attributes of that name, wherever they stand. A text alone is what it is. */
function attributes(value: Json): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value))
    return value.flatMap((one: Json) => (typeof one === "string" ? [] : attributes(one)));
  const { key, value: said } = value as { readonly key?: Json; readonly value?: Json };
  const named =
    key === "behest.head" ? (said as { readonly stringValue?: Json } | undefined)?.stringValue : undefined;
  if (typeof named === "string") return [named];
  return Object.values(value).flatMap((one: Json) => (typeof one === "string" ? [] : attributes(one)));
}

function json(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function headIn(text: string): Head | undefined {
  try {
    return parseHead(text);
  } catch {
    return undefined;
  }
}
