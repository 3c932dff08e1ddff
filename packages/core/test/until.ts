import { vi } from "vitest";

/** Waits until `what` no longer throws or rejects, however busy the machine is. */
export function until(what: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(what, { timeout: 60_000, interval: 10 }) as Promise<void>;
}
