// Two pieces of work measured call by call in turns, so that whatever else the machine does falls on both.
import { cpuOf, median, wallOf } from "./figure.ts";

const ROUNDS = 1_500;
const WARM_UP = 500;
const BUNDLE = 100;

/** Median µs of wall time a call. */
export async function wallByTurns(...works: readonly (() => unknown)[]): Promise<number[]> {
  const times: number[][] = works.map(() => []);
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    for (const [index, work] of works.entries()) {
      const time = await wallOf(work);
      if (round >= WARM_UP) times[index]!.push(time * 1000);
    }
  }
  return times.map(median);
}

export interface Cpu {
  /** µs a call on this thread. */
  readonly own: number;
  /** µs a call on all threads: what garbage collection adds depends on how busy the machine is. */
  readonly all: number;
}

/** Median CPU time a call, over bundles of calls: for work whose garbage falls on whoever comes next. */
export async function cpuByTurns(
  first: () => unknown,
  second: () => unknown,
  rounds: number = ROUNDS,
): Promise<[Cpu, Cpu]> {
  const bundles: [Cpu[], Cpu[]] = [[], []];
  const warmUp = rounds / 3;
  for (let round = 0; round < warmUp + rounds; round += BUNDLE) {
    for (const [index, work] of [first, second].entries()) {
      const before = process.threadCpuUsage();
      const all = await cpuOf(async () => {
        for (let call = 0; call < BUNDLE; call++) await work();
      });
      const { user, system } = process.threadCpuUsage(before);
      if (round >= warmUp) bundles[index]!.push({ own: (user + system) / BUNDLE, all: all / BUNDLE });
    }
  }
  const middle = (costs: readonly Cpu[]): Cpu => ({
    own: median(costs.map(({ own }) => own)),
    all: median(costs.map(({ all }) => all)),
  });
  return [middle(bundles[0]), middle(bundles[1])];
}
