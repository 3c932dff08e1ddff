// Killed at any point, the power cut, a thousand times: see test/crash/scenario.ts, and test/crash/postgres/scenario.ts,
// for what is judged.
import { crash, nameOf, openBench } from "../crash/crash.ts";
import { PHASES } from "../crash/phases.ts";
import { crashPostgres, openPostgresBench } from "../crash/postgres/crash.ts";
import type { Told } from "../crash/scenario.ts";
import { type Figure, atMost } from "./figure.ts";

const KILLS = Number(process.env["BEHEST_BENCH_KILLS"] ?? 1000);
/** Of the first scenario: others than those of an earlier run begin elsewhere. */
const SEED = Number(process.env["BEHEST_BENCH_SEED"] ?? 1);

/**
 * Actions without a record, run twice, without the approvals they need or against a denial, approvals spent twice,
 * acknowledged entries lost, and logs that did not hold afterwards.
 */
export async function crash1000(): Promise<Figure> {
  using bench = await openBench();
  if (!bench) return unmeasured("crash-1000", "needs Linux and gcc");
  return figureOf("crash-1000", await crash(bench, KILLS, SEED));
}

/** The same on PostgreSQL: clients are killed, the server under clients that live on, or both. */
export async function crash1000Postgres(): Promise<Figure> {
  using bench = await openPostgresBench();
  if (!bench) return unmeasured("crash-1000-postgres", "needs Linux, gcc and PostgreSQL's programs");
  return figureOf("crash-1000-postgres", await crashPostgres(bench, KILLS, SEED));
}

function unmeasured(id: string, why: string): Figure {
  return atMost(id, Number.NaN, "violations", 0, { "not measured": why });
}

function figureOf(id: string, { stops, violations }: Told): Figure {
  for (const { fault, story } of violations) console.error(`${fault}: ${story}`);
  const beside: Record<string, number> = { kills: stops.length };
  const count = (what: string): unknown => (beside[what] = (beside[what] ?? 0) + 1);
  for (const phase of PHASES) beside[`in ${phase}`] = 0;
  for (const { step, stops: whom, phases } of stops) {
    if (whom) count(`of ${whom}`);
    count(`at ${nameOf(step)}`);
    for (const phase of phases) count(`in ${phase}`);
  }
  return atMost(id, violations.length, "violations", 0, beside);
}
