import type { BehestError, Code, Waiting } from "../error.ts";
import type { Outcome } from "../types.ts";

/** What has come of an action that was deferred. `refused`: it was not started; by a person, a check or the clock. */
export type DeferredOutcome =
  | Outcome<unknown>
  | { readonly outcome: "refused"; readonly code: Code; readonly error: BehestError };

/** An action that persons were asked about while its agent went on. */
export interface Deferred extends Waiting {
  /** What the model was told to know it by. */
  readonly receipt: string;
  /**
   * Settles when persons have decided and it has run, or will not. Never rejects. `refused` with `session_ended` or
   * `store_failed`: nothing was decided, and another session may still take it up.
   */
  readonly outcome: Promise<DeferredOutcome>;
}

/** One as its run keeps it. */
export interface Deferral extends Deferred {
  /** Action ids of the spawns that led to it, "/" between. */
  readonly path: string;
  /** As its model made it. */
  readonly call: { readonly callId: string; readonly args: unknown };
  /** It has been looked once how it stands: what was decided by then has run, or was told. */
  readonly looked: Promise<void>;
  settled?: DeferredOutcome;
}

/** Whether it may still be done. */
export function isOpen({ settled }: Deferral): boolean {
  return settled === undefined || isUndecided(settled);
}

/** Whether its session, or the store, was gone before anything was decided. */
export function isUndecided(ended: DeferredOutcome): boolean {
  return (
    ended.outcome === "refused" && (ended.code === "session_ended" || ended.error.name !== "BehestDenied")
  );
}

/** Whether what stands at `path` was started by what stands at `above`, or is the same. */
export function isBelow(above: string, path: string): boolean {
  return above === "" || path === above || path.startsWith(`${above}/`);
}
