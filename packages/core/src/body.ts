import { type Frame, ambient } from "./ambient.ts";

/** How a tool's body ended. */
export type Ended<T> =
  | { readonly outcome: "done"; readonly value: T }
  | { readonly outcome: "failed" | "aborted" | "unknown"; readonly error: unknown };

/**
 * Runs a tool's body in its frame until it settles or the signal fires. A body that does not react to
 * the signal is left behind: what it did is `unknown`, and its late result is nobody's.
 */
export async function runBody<T>(
  frame: Frame,
  signal: AbortSignal,
  body: () => Promise<T>,
): Promise<Ended<T>> {
  if (signal.aborted) return { outcome: "aborted", error: signal.reason };
  let onAbort = (): void => {};
  const abandoned = new Promise<Ended<T>>((resolve) => {
    // A body that listens rejects in the turns of the event loop right after the signal.
    onAbort = () =>
      void setImmediate(() => setImmediate(() => resolve({ outcome: "unknown", error: signal.reason })));
    // Before the body starts: it may be what fires the signal.
    signal.addEventListener("abort", onAbort, { once: true });
  });
  const running = ambient
    .run(frame, async () => body())
    .then(
      (value): Ended<T> => ({ outcome: "done", value }),
      (error: unknown): Ended<T> => ({ outcome: signal.aborted ? "aborted" : "failed", error }),
    );
  try {
    return await Promise.race([running, abandoned]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
