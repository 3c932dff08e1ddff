import { afterAll, expect, test } from "vitest";
import type { Violation } from "../world.ts";
import { crashPostgres, openPostgresBench } from "./crash.ts";
import { type PostgresConditions, playOnPostgres } from "./scenario.ts";

const bench = await openPostgresBench();
if (!bench) console.log("crash tests of PostgreSQL skipped: they need it, Linux and gcc");
afterAll(() => bench?.[Symbol.dispose]());

const LONG = 600_000;

test.skipIf(!bench)(
  "clients killed at any message, the server at any step with its disk cut back: nothing is unrecorded, run twice or lost",
  async () => {
    const { stops, violations } = await crashPostgres(bench!, 5, 1);
    expect(violations).toEqual([]);
    expect(stops).toHaveLength(5);
  },
  LONG,
);

// What follows shows that the test above can fail.

test.skipIf(!bench).for<[what: string, fault: Violation["fault"], conditions: PostgresConditions]>([
  ["syncs that do nothing", "lost", { lies: true, stops: "all", cut: "lost" }],
  ["a store whose commits do not wait for the disk", "unrecorded", { flaw: "does not wait" }],
  [
    "a store that acknowledges an outcome before it is committed",
    "lost",
    { flaw: "finishes early", stops: "clients" },
  ],
  ["a body that runs before its entry is committed", "unrecorded", { flaw: "acts first" }],
  ["a run that is taken up under another id", "twice", { flaw: "forgets its run", stops: "clients" }],
])("%s: is found out", { timeout: LONG }, async ([, fault, conditions]) => {
  const found = new Set<Violation["fault"]>();
  // A seed does not fix how processes interleave.
  for (let seed = 100; seed < 150 && !found.has(fault); seed++)
    for (const violation of (await playOnPostgres(bench!, seed, conditions)).violations)
      found.add(violation.fault);
  expect(found).toContain(fault);
});
