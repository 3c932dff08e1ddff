import { parseVkey } from "@behest/provenance";
import { usage } from "../error.ts";
import type { Log } from "./witness.ts";

/** `<vkey>`, or `<origin> <vkey>` where the key's name is not the log's origin; several keys of one log add up. */
export function logsOf(given: readonly string[]): readonly Log[] {
  const logs = new Map<string, Log>();
  for (const text of given) {
    const at = text.lastIndexOf(" ");
    const key = logKey(text.slice(at + 1));
    const origin = at < 0 ? key.name : text.slice(0, at);
    logs.set(origin, { origin, keys: [...(logs.get(origin)?.keys ?? []), key] });
  }
  return [...logs.values()];
}

function logKey(text: string): Log["keys"][number] {
  try {
    const { type, ...key } = parseVkey(text);
    if (type === "log") return key;
  } catch {
    // Told below, without what was written.
  }
  throw usage('--log: a log\'s verifier key, as "behest trust vkey" prints it.');
}
