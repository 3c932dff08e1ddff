import { afterAll, expect, test } from "vitest";
import { crash, openBench } from "./crash.ts";
import { playScenario } from "./scenario.ts";

const bench = await openBench();
if (!bench) console.log("crash tests skipped: they need Linux and gcc");
afterAll(() => bench?.[Symbol.dispose]());

const LONG = 120_000;
const faults = (violations: readonly { readonly fault: string }[]): Set<string> =>
  new Set(violations.map(({ fault }) => fault));

test.skipIf(!bench)(
  "killed at any point, with the disk cut back to what was synced, nothing is unrecorded, run twice or lost",
  async () => {
    const { stops, violations } = await crash(bench!, 25, 1);
    expect(violations).toEqual([]);
    expect(stops).toHaveLength(25);
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
  async () => {
    const { violations } = await playScenario(bench!, 2, { lies: true });
    expect(faults(violations)).toContain("lost");
    expect(faults(violations)).toContain("unrecorded");
  },
  LONG,
);

test.skipIf(!bench)(
  "a body that runs before its entry is on the disk is found out",
  async () => {
    const { violations } = await playScenario(bench!, 2, { flaw: "acts first" });
    expect(faults(violations)).toContain("unrecorded");
  },
  LONG,
);

test.skipIf(!bench)(
  "a run that is taken up under another id, and so acts again, is found out",
  async () => {
    const { violations } = await playScenario(bench!, 2, { flaw: "forgets its run" });
    expect(faults(violations)).toEqual(new Set(["twice"]));
  },
  LONG,
);
