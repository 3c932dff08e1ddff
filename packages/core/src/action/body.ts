import { type Frame, ambient } from "../session/ambient.ts";

/** An attempt that ended before its body started. */
export interface Unstarted {
  readonly outcome: "failed" | "aborted";
  readonly error: unknown;
  readonly unstarted: true;
}

/** How a tool's body ended. */
export type Ended<T> =
  | { readonly outcome: "done"; readonly value: T }
  | { readonly outcome: "failed" | "aborted"; readonly error: unknown }
  /** `late`: how the body that was left behind ends after all, if it does. */
  | { readonly outcome: "unknown"; readonly error: unknown; readonly late?: Promise<"done" | "failed"> }
  | Unstarted;

/**
 * Runs a tool's body in its frame until it settles or the signal fires. A body that does not react to
 * the signal is left behind: what it did is `unknown`, and its late result is nobody's. `leaves`: its promise may
 * reject with the signal while it goes on.
 */
export function runBody<T>(
  frame: Frame,
  { signal, leaves = false }: { readonly signal: AbortSignal; readonly leaves?: boolean | undefined },
  body: () => Promise<T>,
): Promise<Ended<T>> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(stopped(signal));
    // A body that listens rejects in the turns of the event loop right after the signal.
    const { promise: late, resolve: settle } = Promise.withResolvers<"done" | "failed">();
    const onAbort = (): void =>
      void setImmediate(() =>
        setImmediate(() => resolve({ outcome: "unknown", error: signal.reason, late })),
      );
    const end = (ended: Ended<T>): void => {
      signal.removeEventListener("abort", onAbort);
      resolve(ended);
    };
    // Before the body starts: it may be what fires the signal.
    signal.addEventListener("abort", onAbort, { once: true });
    ambient
      .run(frame, async () => body())
      .then(
        (value) => {
          settle("done");
          end({ outcome: "done", value });
        },
        (error: unknown) => {
          settle("failed");
          if (!signal.aborted) return end({ outcome: "failed", error });
          end(leaves ? { outcome: "unknown", error } : { outcome: "aborted", error });
        },
      );
  });
}

/** The signal came before the body. */
export function stopped(signal: AbortSignal): Unstarted {
  return { outcome: "aborted", error: signal.reason, unstarted: true };
}
