import { openBench, playAll } from "../crash.ts";
import type { Told } from "../scenario.ts";
import { newTemplate, programs } from "./cluster.ts";
import { type PostgresBench, type PostgresConditions, playOnPostgres } from "./scenario.ts";

/** A place to crash PostgreSQL in; undefined where there is none, no gcc, or no Linux. */
export async function openPostgresBench(): Promise<(PostgresBench & Disposable) | undefined> {
  const found = await programs();
  const bench = found && (await openBench());
  if (!bench) return undefined;
  try {
    return { ...bench, programs: found, template: await newTemplate(found, bench.folder) };
  } catch (error) {
    bench[Symbol.dispose]();
    throw error;
  }
}

/** Plays scenarios on PostgreSQL until there were so many stops. */
export function crashPostgres(
  bench: PostgresBench,
  stops: number,
  seed: number,
  conditions: PostgresConditions = {},
): Promise<Told> {
  return playAll((next, most) => playOnPostgres(bench, next, conditions, most), stops, seed);
}
