import { rmSync } from "node:fs";
import { join } from "node:path";
import { BOTH, takeAim } from "./aim.ts";
import { MAX_LIVES, callsUntil } from "./calls.ts";
import { Disk, type Image, type PowerCut, filesBelow, refuseUnseen, restore } from "./disk.ts";
import { tooEarly } from "./early.ts";
import type { Flaw } from "./flaws.ts";
import { type Life, live } from "./life.ts";
import { type Log, NO_LOG, objectionTo, readLog } from "./log.ts";
import type { Aim, Stopped, Who } from "./machine.ts";
import { type Phase, phasesOf } from "./phases.ts";
import { randomOf } from "./random.ts";
import { type Step, said } from "./steps.ts";
import { type Violation, World } from "./world.ts";

/** What all scenarios of a crash test share. */
export interface Bench {
  readonly folder: string;
  readonly synclog: string;
  /** File with the deployment, and the thumbprint that its verifiers pin. */
  readonly deployment: string;
  readonly owner: string;
  /** File with the keys of those who approve. */
  readonly persons: string;
}

export interface Conditions {
  /** What happens at the chosen step; default: kill. */
  readonly how?: Aim["how"];
  readonly flaw?: Flaw;
  /** The machine's syncs do nothing. */
  readonly lies?: boolean;
}

/** A step before which a machine was stopped, or that was made to fail. */
export interface Stop {
  readonly step: Step;
  /** Whom, on PostgreSQL. */
  readonly stops?: Stopped | undefined;
  /** Where the calls stood that wait for persons and that it was a step of, or may have been. */
  readonly phases: readonly Phase[];
}

export interface Told {
  readonly stops: Stop[];
  readonly violations: Violation[];
}

/** What is there when a life begins. */
interface Left {
  readonly image: Image;
  readonly log: Log;
}

export const CUTS: readonly PowerCut[] = ["lost", "torn", "kept"];

/**
 * One run over several lives. In each but the last the process is stopped somewhere; after each the power is
 * cut, in every way, and judged; the next life goes on from what one of them left. Ends at a violation, else
 * with a life that is left alone, after `most` stops or as many as lives allow. A seed fixes the plan, not how
 * the threads of a process interleave.
 */
export async function playScenario(
  bench: Bench,
  seed: number,
  conditions: Conditions = {},
  most = MAX_LIVES - 1,
): Promise<Told> {
  const { how = "kill", flaw, lies } = conditions;
  const random = randomOf(seed);
  const folder = join(bench.folder, `scenario-${seed}`);
  const habits = {
    lanes: 1 + random.below(6),
    weight: random.pick([0, 3_000, 60_000]),
    ...(flaw && { flaw }),
  };
  const world = new World(how === "fail" ? "store_failed" : undefined);
  const told: Told = { stops: [], violations: [] };
  let left: Left = { image: new Map(), log: NO_LOG };
  for (let life = 0, isLast = false; !isLast && told.violations.length === 0; life++) {
    const root = join(folder, String(life));
    restore(left.image, root);
    const files = filesBelow(root);
    const [disk, sameDisk] = [new Disk(files), new Disk(files)];
    isLast = life === MAX_LIVES - 1 || told.stops.length === most;
    const { crew, aim } = isLast ? { crew: BOTH } : takeAim(random, { how, life, weight: habits.weight });
    const { deployment, persons, synclog } = bench;
    const approver = crew.includes("approver");
    const task = { deployment, persons, root, life, approver, ...habits };
    const ended = await live(task, { synclog, crew, aim, lies });
    for (const step of ended.steps) disk.apply(step);
    refuseUnseen(disk, root, random);

    const images = CUTS.map((cut) => disk.after(cut, random));
    const logs = await Promise.all(images.map((image, i) => readLog(image, `${root}-${CUTS[i]}`)));
    world.witness(ended.steps, left.log, images[0]!.get("effects")!);
    const found = logs.flatMap((log) => world.judge(log));
    found.push(...tooEarly(sameDisk, ended.steps, logs[0]!, left.log));
    if (isLast) found.push(...unfinished(ended, logs[0]!, life));
    // Where the disk fails, a process may end in an error.
    if (ended.complaint !== undefined && ended.stop?.prevented !== "failed")
      found.push({ fault: "broken", story: ended.complaint });

    const taken = random.below(CUTS.length);
    const objection = await objectionTo(logs[taken]!, left.log, bench.owner);
    if (objection) found.push({ fault: "broken", story: objection });
    const before = left.log;
    left = { image: images[taken]!, log: logs[taken]! };

    const { stop } = ended;
    if (stop) {
      const after = logs[CUTS.indexOf("kept")]!;
      const phases = phasesOf({ steps: ended.steps, who: aim!.who as Who, task, before, after });
      told.stops.push({ step: stop, phases });
    }
    const where = stop ? `${how} at ${stop.place} ${stop.op}` : "ended by itself";
    for (const { fault, story } of found)
      told.violations.push({ fault, story: `seed ${seed}, life ${life}, ${where}: ${story}` });
  }
  rmSync(folder, { recursive: true, force: true });
  return told;
}

/** In a life that nothing disturbs everything comes to an end. */
export function unfinished({ steps }: Life, { attempts }: Log, life: number): Violation[] {
  const answers = said(steps, "a").map((line) => line.split(" ") as [string, string]);
  const ended = new Set(answers.flatMap(([tool, answer]) => (answer === "approval_needed" ? [] : [tool])));
  const missing = callsUntil(life).filter(({ tool }) => !ended.has(tool)).length;
  const open = attempts.filter(({ outcome }) => outcome === undefined).length;
  if (missing === 0 && open === 0) return [];
  return [{ fault: "broken", story: `${missing} calls were not answered, ${open} attempts have no outcome` }];
}
