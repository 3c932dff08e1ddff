// Killed at any point, the power cut, a thousand times: see test/crash/scenario.ts for what is judged.
import { crash, nameOf, openBench } from "../crash/crash.ts";
import { PHASES } from "../crash/phases.ts";
import { type Figure, atMost } from "./figure.ts";

const KILLS = 1000;
const SEED = 1;

/**
 * Actions without a record, run twice, without the approvals they need or against a denial, approvals spent twice,
 * acknowledged entries lost, and logs that did not hold afterwards.
 */
export async function crash1000(): Promise<Figure> {
  using bench = await openBench();
  if (!bench)
    return atMost("crash-1000", Number.NaN, "violations", 0, { "not measured": "needs Linux and gcc" });
  const { stops, violations } = await crash(bench, KILLS, SEED);
  for (const { fault, story } of violations) console.error(`${fault}: ${story}`);
  const beside: Record<string, number> = { kills: stops.length };
  const count = (what: string): unknown => (beside[what] = (beside[what] ?? 0) + 1);
  for (const phase of PHASES) beside[`in ${phase}`] = 0;
  for (const { step, phases } of stops) {
    count(`at ${nameOf(step)}`);
    for (const phase of phases) count(`in ${phase}`);
  }
  return atMost("crash-1000", violations.length, "violations", 0, beside);
}
