import { join } from "node:path";
import { MAX_LIVES } from "../calls.ts";
import { tooEarly } from "../early.ts";
import { type Log, NO_LOG, objectionTo } from "../log.ts";
import { phasesOf } from "../phases.ts";
import { randomOf } from "../random.ts";
import { type Bench, CUTS, type Conditions, type Told, unfinished } from "../scenario.ts";
import type { PowerCut } from "../disk.ts";
import type { Stopped } from "../machine.ts";
import { World } from "../world.ts";
import { BOTH, takeAim } from "./aim.ts";
import { Host, type Parts } from "./host.ts";

export type PostgresBench = Bench & Parts;

export interface PostgresConditions extends Omit<Conditions, "how"> {
  /** Who is stopped, and what is left of the disk where that is the server; default: any. */
  readonly stops?: Stopped;
  readonly cut?: PowerCut;
}

/**
 * One run over several lives, on one server. In each but the last clients are stopped somewhere, or the server under
 * them, or both. Where the server is, its power is cut, in one of the ways, and it recovers: for clients that
 * are still there and go on, or for those of the next life. Else as `playScenario`.
 */
export async function playOnPostgres(
  bench: PostgresBench,
  seed: number,
  { flaw, lies, stops, cut: only }: PostgresConditions = {},
  most = MAX_LIVES - 1,
): Promise<Told> {
  const random = randomOf(seed);
  const root = join(bench.folder, `postgres-${seed}`);
  const habits = {
    lanes: 1 + random.below(6),
    weight: random.pick([0, 3_000, 60_000]),
    ...(flaw && { flaw }),
  };
  await using host = await Host.start(bench, root, lies);
  const world = new World();
  const told: Told = { stops: [], violations: [] };
  let before: Log = NO_LOG;
  for (let life = 0, isLast = false; !isLast && told.violations.length === 0; life++) {
    isLast = life === MAX_LIVES - 1 || told.stops.length === most;
    const { crew, aim } = isLast ? { crew: BOTH } : takeAim(random, life, stops);
    const cut = only ?? random.pick(CUTS);
    const { deployment, persons } = bench;
    const approver = crew.includes("approver");
    const task = { deployment, persons, root, url: host.url, life, approver, ...habits };
    const ended = await host.live(task, { crew, aim, cut }, random);
    if ("refusal" in ended) {
      told.violations.push({ fault: "broken", story: `seed ${seed}, life ${life}: ${ended.refusal}` });
      break;
    }
    const log = await host.log();
    world.witness(ended.steps, before, ended.effects);
    const found = world.judge(log);
    for (const { disk, steps } of ended.segments) found.push(...tooEarly(disk, steps, log, before));
    if (isLast) found.push(...unfinished(ended, log, life));
    if (ended.complaint !== undefined) found.push({ fault: "broken", story: ended.complaint });
    const objection = await objectionTo(log, before, bench.owner);
    if (objection) found.push({ fault: "broken", story: objection });

    const { stop } = ended;
    if (stop) {
      const steps = ended.steps.slice(0, ended.steps.indexOf(stop) + 1);
      const who = aim!.who === "server" ? crew[0]! : aim!.who;
      told.stops.push({
        step: stop,
        stops: aim!.stops,
        phases: phasesOf({ steps, who, task, before, after: log }),
      });
    }
    const where = stop ? `${aim!.stops} at ${aim!.who} ${stop.place} ${stop.op}, ${cut}` : "ended by itself";
    for (const { fault, story } of found)
      told.violations.push({ fault, story: `seed ${seed}, life ${life}, ${where}: ${story}` });
    before = log;
  }
  return told;
}
