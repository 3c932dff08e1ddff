import { spansIn } from "@behest/evidence";
import { type Head, headOf, parseHead } from "@behest/provenance";
import { CliError } from "../error.ts";
import { readText } from "../file.ts";

/**
 * Heads that others hold, from a file: one `size:root` a line, or OpenTelemetry spans as OTLP JSON, whose `behest.head`
 * attributes are taken. Each once. Throws `malformed_input`, also where there is none: a file that says nothing must
 * not look like one that agrees.
 */
export async function headsIn(path: string): Promise<readonly Head[]> {
  const text = await readText(path);
  const spans = spansIn(text)?.flatMap(({ attributes }) => attributes.get("behest.head") ?? []);
  const heads = new Map<string, Head>();
  for (const found of spans ?? text.split("\n").flatMap((line) => line.trim() || [])) {
    const head = headIn(found);
    if (!head) throw new CliError("malformed_input", `--heads: ${path} has a head that is not size:root.`);
    heads.set(headOf(head), head);
  }
  if (heads.size > 0) return [...heads.values()];
  throw new CliError("malformed_input", `--heads: ${path} has no head, neither on lines nor in spans.`);
}

function headIn(text: string): Head | undefined {
  try {
    return parseHead(text);
  } catch {
    return undefined;
  }
}
