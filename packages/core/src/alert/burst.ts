interface Seen {
  /** Of the latest ones, at most as many as make a burst. */
  times: readonly number[];
  /** When it was last told; -Infinity: never. */
  told: number;
  /** Since it was told. */
  count: number;
}

/** So many names are remembered; of more, those that were first seen are forgotten. */
const NAMES = 1000;

/** Tells of a name once it was noted `count` times within `ms`, and then once in `ms` at most. */
export class Bursts {
  readonly #count: number;
  readonly #ms: number;
  readonly #seen = new Map<string, Seen>();

  constructor(count: number, ms: number) {
    this.#count = count;
    this.#ms = ms;
  }

  /** How often since it was last told of; undefined where there is nothing to tell now. `now`: ms since the epoch. */
  note(name: string, now: number): number | undefined {
    const seen = this.#of(name);
    // A clock that was set back would keep it quiet for as long.
    const isOver = (since: number): boolean => now - since >= this.#ms || now < since;
    seen.times = [...seen.times, now].slice(-this.#count);
    seen.count++;
    const isBurst = seen.times.length === this.#count && Math.abs(now - seen.times[0]!) <= this.#ms;
    if (!isBurst || !isOver(seen.told)) return undefined;
    const { count } = seen;
    seen.told = now;
    seen.count = 0;
    return count;
  }

  #of(name: string): Seen {
    const known = this.#seen.get(name);
    if (known) return known;
    if (this.#seen.size >= NAMES) this.#seen.delete(this.#seen.keys().next().value!);
    const seen: Seen = { times: [], told: Number.NEGATIVE_INFINITY, count: 0 };
    this.#seen.set(name, seen);
    return seen;
  }
}
