// Durable actions by how many are in flight, and what they add at a steady rate.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Session, type Store, sqliteStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { postgresStore } from "@behest/postgres";
import { postgresServer } from "../../packages/postgres/test/server.ts";
import { type Figure, measured, median, wallOf } from "./figure.ts";

const tools = { look: { "*": { constraint_type: "wildcard" } } } as const;
const IN_FLIGHT = [1, 8, 64, 512];
/** Actions of one measurement, about. */
const ACTIONS = 1_024;

/** A store to measure, new and empty. */
export interface Measured {
  readonly store: Store;
  /** How it makes sure that what is answered is on disk. */
  readonly sync: string;
}

function act(session: Session, n: number): Promise<unknown> {
  return session.perform({ tool: "look", args: { at: n }, callId: `call-${n}` }, async () => "seen");
}

/** Actions a second with 1, 8, 64 and 512 in flight: each durable before its body and again after it, every entry signed. */
export async function actionsPerSecond(id: string, { store, sync }: Measured): Promise<Figure> {
  await using behest = await testBehest({ store, policy: "grants-alone" });
  const session = await behest.as("alice", tools);
  let n = 0;
  const burst = (flight: number): Promise<unknown> =>
    Promise.all(
      Array.from({ length: flight }, async () => {
        for (let i = 0; i < Math.max(2, ACTIONS / flight); i++) await act(session, n++);
      }),
    );
  await burst(64);
  const rates: { [flight: string]: number } = {};
  for (const flight of IN_FLIGHT) {
    const rounds: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = n;
      const took = await wallOf(() => burst(flight));
      rounds.push((n - before) / (took / 1000));
    }
    rates[`${flight} in flight`] = Math.round(median(rounds));
  }
  return measured(id, rates["64 in flight"]!, "actions/s", { ...rates, sync });
}

/** What a call waits longer, p50 and p99, at 100 actions a second: from the call to its result, of a body that does nothing. */
export async function addedAt100(id: string, { store, sync }: Measured): Promise<Figure> {
  await using behest = await testBehest({ store, policy: "grants-alone" });
  const session = await behest.as("alice", tools);
  for (let n = 0; n < 200; n++) await act(session, n);
  const took: number[] = [];
  const under: Promise<unknown>[] = [];
  const begun = performance.now();
  for (let n = 0; n < 1_000; n++) {
    await sleep(Math.max(0, begun + n * 10 - performance.now()));
    under.push(wallOf(() => act(session, 1_000 + n)).then((ms) => took.push(ms)));
  }
  await Promise.all(under);
  const sorted = took.toSorted((a, b) => a - b);
  const at = (p: number): number => sorted[Math.ceil((p / 100) * sorted.length) - 1]!;
  return measured(id, at(50), "ms", { "p99 ms": at(99).toFixed(2), sync });
}

/** On a disk of this machine, in a folder of its own. */
export async function onSqlite(measure: (store: Measured) => Promise<Figure>): Promise<Figure> {
  const folder = mkdtempSync(join(process.env["BEHEST_BENCH_DIR"] ?? tmpdir(), "behest-durable-"));
  try {
    return await measure({
      store: sqliteStore(join(folder, "log.db")),
      sync: "fsync, WAL, synchronous=FULL",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** On a PostgreSQL of this machine, in a schema of its own. */
export async function onPostgres(measure: (store: Measured) => Promise<Figure>): Promise<Figure> {
  await using server = await postgresServer();
  if (!server) throw new Error("there is no PostgreSQL to measure");
  const url = await server.url();
  return await measure({ store: postgresStore(url), sync: "fsync, synchronous_commit=on" });
}
