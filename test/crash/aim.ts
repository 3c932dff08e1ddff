import { CALLS_A_LIFE } from "./calls.ts";
import type { Aim, Who } from "./machine.ts";
import type { Random } from "./random.ts";

/** There are no messages. */
type Place = Exclude<Aim["place"], "m">;

/** About how many steps a process has in each place. Where the chosen one does not come, it ends by itself. */
function stepsOf(who: Who, life: number, weight: number): { readonly [place in Place]: number } {
  if (who === "approver") return { w: 300, d: 60, s: 30, e: 1, a: 20, "*": 400 };
  const w = 60 * CALLS_A_LIFE + weight / 30;
  return {
    w,
    d: w / 6,
    s: 4 * CALLS_A_LIFE,
    e: 4 * CALLS_A_LIFE,
    a: 2 * CALLS_A_LIFE * (life + 1),
    "*": 1.3 * w,
  };
}

const PLACES: { readonly [how in Aim["how"]]: { readonly [who in Who]: readonly Place[] } } = {
  kill: { agent: ["*", "w", "w", "s", "s", "s", "d", "e", "e", "e", "a"], approver: ["*", "w", "s", "a"] },
  // Only the store is asked how it bears a failing disk.
  fail: { agent: ["w", "s", "s", "d"], approver: ["w", "s", "d"] },
};

const ALONE: readonly Who[] = ["agent"];
/** The crew of the last life. */
export const BOTH: readonly Who[] = ["agent", "approver"];
const PERSONS: readonly Who[] = ["approver"];
const CREWS: { readonly [how in Aim["how"]]: readonly (readonly Who[])[] } = {
  kill: [ALONE, BOTH, BOTH, PERSONS],
  // Where the disk fails for one process it fails for all: there is but one then.
  fail: [ALONE, PERSONS],
};
const STOPPED: readonly Who[] = ["agent", "agent", "agent", "approver"];

/** Who is there in a life, the agent first of all, and where who of them is stopped. */
export function takeAim(
  random: Random,
  { how, life, weight }: { how: Aim["how"]; life: number; weight: number },
): { readonly crew: readonly Who[]; readonly aim: Aim } {
  const crew = life === 0 ? ALONE : random.pick(CREWS[how]);
  const who = crew === BOTH ? random.pick(STOPPED) : crew[0]!;
  const place = random.pick(PLACES[how][who]);
  return { crew, aim: { who, how, place, at: 1 + random.below(stepsOf(who, life, weight)[place]) } };
}
