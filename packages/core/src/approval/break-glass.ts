import { metrics } from "@opentelemetry/api";
import type { Deployment } from "../deployment.ts";

const warned: WeakMap<Deployment, Set<string>> = new WeakMap();

/** Once a process for each override, when it is handed in or first used. */
export function warnOfOverride(deployment: Deployment, id: string): void {
  const told = warned.get(deployment) ?? new Set();
  if (told.has(id)) return;
  warned.set(deployment, told.add(id));
  process.emitWarning(
    `BREAK-GLASS: override ${id.slice(0, 10)} is in force. What policies deny or want approved goes ahead under it; each record says so.`,
    { code: "BEHEST_BREAK_GLASS" },
  );
}

/** `behest.override.used` (counter) by tool. Without an OpenTelemetry SDK it costs nothing. */
export function measureOverride(tool: string): void {
  const used = metrics.getMeter("@behest/core").createCounter("behest.override.used", {
    description: "Actions that an override let start",
  });
  used.add(1, { "behest.tool": tool });
}
