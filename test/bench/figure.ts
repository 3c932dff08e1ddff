/** One benchmark figure, as `npm run bench -- --json` prints it. */
export interface Figure {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** Absent where the figure is only told. */
  readonly target?: number;
  readonly ok: boolean;
  /** What else was measured in the same run, for the table. */
  readonly beside?: { readonly [what: string]: number | string };
}

export function atMost(
  id: string,
  value: number,
  unit: string,
  target: number,
  beside?: Figure["beside"],
): Figure {
  return { id, value: round(value), unit, target, ok: value <= target, ...(beside && { beside }) };
}

export function atLeast(
  id: string,
  value: number,
  unit: string,
  target: number,
  beside?: Figure["beside"],
): Figure {
  return { id, value: round(value), unit, target, ok: value >= target, ...(beside && { beside }) };
}

/** A figure without a target. */
export function measured(id: string, value: number, unit: string, beside?: Figure["beside"]): Figure {
  return { id, value: round(value), unit, ok: true, ...(beside && { beside }) };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** µs of this process's CPU time, threads included, that `fn` takes. */
export async function cpuOf(fn: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await fn();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** ms of wall time that `fn` takes. */
export async function wallOf(fn: () => unknown): Promise<number> {
  const before = performance.now();
  await fn();
  return performance.now() - before;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
