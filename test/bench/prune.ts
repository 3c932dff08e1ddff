// Pruning, while agents go on: on PostgreSQL, whose clock can be kept behind until entries are old.
import { testBehest } from "@behest/core/testing";
import type { Session } from "@behest/core";
import { postgresStore } from "@behest/postgres";
import { Late } from "../../packages/postgres/test/late.ts";
import { postgresServer } from "../../packages/postgres/test/server.ts";
import { type Figure, measured, median } from "./figure.ts";

const DAY = 86_400_000;
/** Each is two entries. */
const ACTIONS = 10_000;
const TOOLS = { say: { "*": { constraint_type: "wildcard" } } } as const;

/** ms of a transaction that prunes 1,000 entries; actions go on one by one meanwhile. */
export async function prune1000Postgres(): Promise<Figure> {
  await using server = await postgresServer();
  if (!server) throw new Error("there is no PostgreSQL to measure");
  const late = await Late.behind(await server.url(), 200);
  const { clock } = late;
  const config = { store: postgresStore(late.url), clock, entryKeyLifetime: 400 * 86_400 };
  await using behest = await testBehest({ ...config, content: "keep", policy: "grants-alone" });
  const old = await behest.as("alice", TOOLS);
  for (let n = 0; n < ACTIONS; n += 50) await Promise.all(Array.from({ length: 50 }, () => act(old)));
  const before = clock() + 2 * DAY;
  await late.now();

  const young = await behest.as("bob", TOOLS);
  const alone: number[] = [];
  for (let n = 0; n < 500; n++) alone.push(await act(young));
  const looked = performance.now();
  await behest.prune({ before, dryRun: true });
  const looking = performance.now() - looked;

  const beside: number[] = [];
  let pruning = true;
  const acting = (async () => {
    while (pruning) beside.push(await act(young));
  })();
  const from = performance.now();
  const { indexes, counts } = await behest.prune({ before }).finally(() => (pruning = false));
  const took = performance.now() - from - looking;
  await acting;
  if (counts.action !== ACTIONS) throw new Error(`${counts.action} of ${ACTIONS} actions were pruned`);
  return measured("prune-1000-postgres", took / indexes.length, "ms", {
    "to look at 100,000 entries first, ms": Math.round((looking / (2 * ACTIONS)) * 100_000),
    "an action meanwhile, median ms": ms(median(beside)),
    "p99 ms": ms(p99(beside)),
    "alone, median ms": ms(median(alone)),
    "alone, p99 ms": ms(p99(alone)),
  });
}

/** ms that an action takes. */
async function act(session: Session): Promise<number> {
  const from = performance.now();
  await session.perform({ tool: "say", args: { text: "the figures of this week" } }, async () => "said");
  return performance.now() - from;
}

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)]!;
}

function ms(value: number): number {
  return Number(value.toPrecision(2));
}
