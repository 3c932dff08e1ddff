import { CALLS_A_LIFE } from "../calls.ts";
import type { Aim, Process, Stopped, Who } from "../machine.ts";
import type { Random } from "../random.ts";

const ALONE: readonly Who[] = ["agent"];
/** The crew of the last life. */
export const BOTH: readonly Who[] = ["agent", "approver"];
const PERSONS: readonly Who[] = ["approver"];

type Place = Aim["place"];

const PLACES: { readonly [process in Process]: readonly Place[] } = {
  agent: ["*", "m", "m", "m", "e", "e", "e", "a"],
  approver: ["*", "m", "m", "a"],
  server: ["*", "m", "m", "w", "w", "s", "s", "s", "d"],
};

/** About how many steps a process has in each place. Where the chosen one does not come, it ends by itself. */
function stepsOf(process: Process, life: number): { readonly [place in Place]?: number } {
  const calls = CALLS_A_LIFE;
  switch (process) {
    case "agent":
      return { "*": 50 * calls, m: 40 * calls, e: 3 * calls, a: 2 * calls * (life + 1) };
    case "approver":
      return { "*": 400, m: 400, a: 20 };
    case "server":
      return { "*": 70 * calls, m: 35 * calls, w: 17 * calls, s: 8 * calls, d: 14 * calls };
  }
}

/** Who is there in a life, the agent first of all, and where who of them or the server is stopped, or all of them. */
export function takeAim(
  random: Random,
  life: number,
  wanted?: Stopped,
): { readonly crew: readonly Who[]; readonly aim: Aim } {
  const crew = life === 0 ? ALONE : random.pick([ALONE, BOTH, BOTH, BOTH, PERSONS]);
  const stops = wanted ?? random.pick<Stopped>(["clients", "clients", "server", "server", "all"]);
  const client = crew === BOTH ? random.pick<Who>(["agent", "agent", "agent", "approver"]) : crew[0]!;
  const who =
    stops === "server" ? "server" : stops === "all" ? random.pick<Process>([client, "server"]) : client;
  const place = random.pick(PLACES[who]);
  return { crew, aim: { who, how: "kill", place, at: 1 + random.below(stepsOf(who, life)[place]!), stops } };
}
