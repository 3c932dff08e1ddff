import { afterAll, expect, test } from "vitest";
import { crash, openBench } from "./crash.ts";
import { type Conditions, playScenario } from "./scenario.ts";
import type { Violation } from "./world.ts";

const bench = await openBench();
if (!bench) console.log("crash tests skipped: they need Linux and gcc");
afterAll(() => bench?.[Symbol.dispose]());

const LONG = 180_000;

/** What the first scenario tells in which something is found; a seed does not fix how processes interleave. */
async function faultsOf(conditions: Conditions): Promise<Set<Violation["fault"]>> {
  for (let seed = 2; seed < 8; seed++) {
    const { violations } = await playScenario(bench!, seed, conditions);
    if (violations.length > 0) return new Set(violations.map(({ fault }) => fault));
  }
  return new Set();
}

test.skipIf(!bench)(
  "killed at any point, with the disk cut back to what was synced, nothing is unrecorded, run twice, unapproved or lost",
  async () => {
    const { stops, violations } = await crash(bench!, 25, 1);
    expect(violations).toEqual([]);
    expect(stops).toHaveLength(25);
    expect(stops.flatMap(({ phases }) => phases)).not.toEqual([]);
  },
  LONG,
);

test.skipIf(!bench)(
  "where a write or a sync of the store fails, what was acknowledged before is kept, and nothing runs unrecorded",
  async () => {
    const { stops, violations } = await crash(bench!, 6, 1, { how: "fail" });
    expect(violations).toEqual([]);
    expect(stops).toHaveLength(6);
  },
  LONG,
);

// What follows shows that the tests above can fail.

test.skipIf(!bench)(
  "syncs that do nothing are found out: kill -9 alone would not see them",
  async () => expect(await faultsOf({ lies: true })).toContain("lost"),
  LONG,
);

test.skipIf(!bench)(
  "a body that runs before its entry is on the disk is found out, and that nobody had approved it",
  async () => {
    const faults = await faultsOf({ flaw: "acts first" });
    expect(faults).toContain("unrecorded");
    expect(faults).toContain("unapproved");
  },
  LONG,
);

test.skipIf(!bench)(
  "a run that is taken up under another id, and so acts again, is found out",
  async () => expect(await faultsOf({ flaw: "forgets its run" })).toEqual(new Set(["twice"])),
  LONG,
);

test.skipIf(!bench)(
  "an action that starts when one of two persons has approved it is found out",
  async () => expect(await faultsOf({ flaw: "asks one person" })).toEqual(new Set(["unapproved"])),
  LONG,
);

test.skipIf(!bench)(
  "a store that forgets to spend an approval is found out",
  async () => expect(await faultsOf({ flaw: "spends nothing" })).toContain("spent twice"),
  LONG,
);

test.skipIf(!bench)(
  "a store that acknowledges a decision before it is on the disk is found out",
  async () => expect(await faultsOf({ flaw: "acknowledges early" })).toEqual(new Set(["lost"])),
  LONG,
);

test.skipIf(!bench)(
  "a store that does not hear a denial is found out",
  async () => expect(await faultsOf({ flaw: "hears no denial" })).toContain("denied"),
  LONG,
);
