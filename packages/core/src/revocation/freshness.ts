import type { Effect } from "@behest/delegation";
import { BehestError } from "../error.ts";

/**
 * How old the latest read of the revocations may be, ms, for an action of each effect to start. What cannot be undone
 * starts after a read of its own. Source: the deployment's bound on how long a cut may take to reach it.
 */
const OLDEST: { readonly [effect in Effect]: number } = {
  read: 30_000,
  reversible: 5_000,
  irreversible: 3_000,
};

/** How long a feed may take to answer, ms: after that it has not. */
export const ANSWER = 5_000;

export function isFresh(effect: Effect, age: number): boolean {
  return age <= OLDEST[effect];
}

/** Whether it resolves while what it answers can still be fresh enough for an action of this effect. */
export async function isInTime(effect: Effect, reading: Promise<void>): Promise<boolean> {
  return inTime(reading, Math.min(OLDEST[effect], ANSWER)).then(
    () => true,
    () => false,
  );
}

/** Rejects with `store_failed` after so many ms; what has come while this process was busy has come. */
export async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => setImmediate(() => reject(unanswered())), ms);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function unanswered(): BehestError {
  return new BehestError("store_failed", "store_failed: the feed of revocations does not answer.");
}

/** Time since a moment, ms: by the clock that never goes back, and by the one that goes on while a machine sleeps. */
export class Since {
  #steady = Number.NEGATIVE_INFINITY;
  #wall = Number.NEGATIVE_INFINITY;

  static now(): Since {
    const since = new Since();
    since.#steady = performance.now();
    since.#wall = Date.now();
    return since;
  }

  get ms(): number {
    return Math.max(performance.now() - this.#steady, Date.now() - this.#wall);
  }
}
