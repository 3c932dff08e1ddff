import { setImmediate } from "node:timers/promises";
import { type PrunedType, retentionOf } from "@behest/provenance";
import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";
import { MARGIN } from "../store/pruning.ts";
import { batches, requestOf } from "./batch.ts";
import { holdsIn } from "./held.ts";
import { Since } from "./since.ts";
import { survey } from "./survey.ts";

export interface PruneRequest {
  /** What was recorded before goes, as far as nothing needs it. ms since the epoch. */
  readonly before: number;
  /** Nothing is changed. */
  readonly dryRun?: boolean;
}

export interface Pruned {
  /** How many entries went, or would go, by type. */
  readonly counts: { readonly [type in PrunedType]: number };
  /** Of the entries that say so. */
  readonly indexes: readonly number[];
  /** What the database keeps for its own recovery still has it; see `Erasure`. */
  readonly remains: readonly { readonly what: "journal" }[];
}

/** How often the log is looked at anew when it goes on in what was to go, and nobody has pruned anything of it. */
const TRIES = 8;
const TYPES = ["delegation", "interaction", "action", "outcome"] as const;

/** See {@link Behest.prune}. */
export async function prune(
  deployment: Pick<Deployment, "engine" | "manifest" | "clock">,
  { before, dryRun = false }: PruneRequest,
): Promise<Pruned> {
  const { engine, clock } = deployment;
  if (!Number.isSafeInteger(before) || before < 0 || Number.isNaN(new Date(before).getTime()))
    throw new BehestError("config_invalid", "config_invalid: before is a time, in ms since the epoch.");
  // Another version of the manifest may be taken up meanwhile.
  const kept = (): number => retentionOf(deployment.manifest);
  const until = before + kept() + MARGIN;
  if (until > clock()) throw retained(until, clock() - kept() - MARGIN);
  const counts = { delegation: 0, interaction: 0, action: 0, outcome: 0 };
  const indexes: number[] = [];
  let swept = true;
  let most = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES; tries++) {
    const holds = await holdsIn(engine);
    if (holds.some(({ principals }) => !principals))
      throw new BehestError("on_hold", "on_hold: a legal hold is on everybody. Release it first.");
    const found = await survey(engine, before, holds);
    if (dryRun) return { counts: found.sieve.counts, indexes, remains: [] };
    if (found.sieve.order.length < most) tries = 0;
    most = Math.min(most, found.sieve.order.length);
    const since = new Since(engine, found.size);
    let again = false;
    for (const batch of batches(found.sieve.order)) {
      const by = { before, retention: kept(), now: clock(), holds: holds.map(({ index }) => index) };
      const request = await requestOf(engine, batch, by);
      const seen = request && (await since.look(request.prune));
      const done = seen === undefined ? undefined : await engine.prune({ ...request!.prune, seen });
      if (done?.pruned === "refused") throw retained(done.until, clock() - kept() - MARGIN);
      again = done?.pruned !== "done";
      if (done?.pruned !== "done") break;
      indexes.push(done.placed.index);
      // A journal that is emptied later has nothing of what went before, either.
      swept = done.swept;
      for (const type of TYPES) counts[type] += request!.counts[type] ?? 0;
      // Others write in between.
      await setImmediate();
    }
    if (!again) return { counts, indexes, remains: swept ? [] : [{ what: "journal" }] };
  }
  throw new BehestError(
    "store_failed",
    "store_failed: the log went on in what was to be pruned each time that it was looked at. What had gone before is gone; try again.",
  );
}

function retained(until: number, allowed: number): BehestError {
  const [then, now] = [until, allowed].map((ms) => new Date(ms).toISOString());
  return new BehestError(
    "retained",
    `retained: not all that was recorded before that time may go until ${then}. What was recorded before ${now} may go now.`,
  );
}
