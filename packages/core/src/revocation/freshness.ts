import type { Effect } from "@behest/delegation";

/**
 * How old the latest read of the revocations may be, ms, for an action of each effect to start. What cannot be undone
 * starts after a read of its own. Source: the deployment's bound on how long a cut may take to reach it.
 */
const OLDEST: { readonly [effect in Effect]: number } = {
  read: 30_000,
  reversible: 5_000,
  irreversible: 3_000,
};

export function isFresh(effect: Effect, age: number): boolean {
  return age <= OLDEST[effect];
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
