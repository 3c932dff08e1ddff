import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAX_LIVES } from "./calls.ts";
import { newDeployment } from "./deployment.ts";
import { restore } from "./disk.ts";
import { compileSynclog, live } from "./life.ts";
import { type Bench, type Conditions, type Told, playScenario } from "./scenario.ts";
import type { Step } from "./steps.ts";

/** A place to crash in; undefined where there is no gcc, or no Linux. */
export async function openBench(): Promise<(Bench & Disposable) | undefined> {
  const parent = realpathSync(process.env["BEHEST_BENCH_DIR"] ?? tmpdir());
  const folder = mkdtempSync(join(parent, "behest-crash-"));
  // A server may run as another user.
  chmodSync(folder, 0o711);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const synclog = await compileSynclog(folder);
    if (synclog !== undefined) return { ...(await furnish(folder, synclog)), [Symbol.dispose]: remove };
  } catch (error) {
    remove();
    throw error;
  }
  remove();
  return undefined;
}

async function furnish(folder: string, synclog: string): Promise<Bench> {
  const made = await newDeployment();
  const [deployment, persons] = [join(folder, "deployment.json"), join(folder, "persons.json")];
  writeFileSync(deployment, JSON.stringify(made.deployment), { mode: 0o600 });
  writeFileSync(persons, JSON.stringify(made.persons), { mode: 0o600 });
  // Only a process that ends by itself leaves its compiled code for the next ones.
  const root = join(folder, "first");
  restore(new Map(), root);
  const task = { deployment, persons, root, life: 0, lanes: 1, weight: 0, approver: true };
  const { complaint } = await live(task, { synclog, crew: ["agent", "approver"] });
  if (complaint !== undefined)
    throw new Error(`a process that nothing disturbs does not end well: ${complaint}`);
  return { folder, synclog, deployment, persons, owner: made.deployment.owner };
}

/** More violations than this tell nothing new. */
const ENOUGH = 100;

/** Plays scenarios on SQLite until there were so many stops. */
export function crash(bench: Bench, stops: number, seed: number, conditions: Conditions = {}): Promise<Told> {
  return playAll((next, most) => playScenario(bench, next, conditions, most), stops, seed);
}

/** Plays scenarios, two at a time, until there were so many stops; their seeds count up from `seed`. */
export async function playAll(
  play: (seed: number, most: number) => Promise<Told>,
  stops: number,
  seed: number,
): Promise<Told> {
  const told: Told = { stops: [], violations: [] };
  let next = seed;
  let left = stops;
  const lane = async (): Promise<void> => {
    while (left > 0 && told.violations.length < ENOUGH) {
      const most = Math.min(left, MAX_LIVES - 1);
      left -= most;
      const played = await play(next++, most);
      left += most - played.stops.length;
      told.stops.push(...played.stops);
      told.violations.push(...played.violations);
    }
  };
  await Promise.all([lane(), lane()]);
  return told;
}

/** In words, before or within what a process was stopped. */
export function nameOf({ op, place }: Step): string {
  if (place === "e") return "effect";
  if (place === "a") return "answer";
  if (place === "m") return "message";
  if (op === "sync" || op === "synced") return "sync";
  if (op !== "write") return "name or size";
  return place === "w" ? "WAL write" : "database write";
}
