import { expect, test } from "vitest";
import { testBehest } from "../testing.ts";

test("records of one name, asserted by several issuers, are listed in log order, and nobody else's", async () => {
  await using behest = await testBehest({ enforce: "shadow", policy: "grants-alone" });
  const granted = await behest.as("alice", { read: {} });
  const observed = behest.observe({ principal: "alice" });
  const other = await behest.as("bob", { read: {} });
  for (const session of [granted, observed, other, granted, observed])
    await session.perform({ tool: "read", args: {} }, async () => 1);
  const found = await behest.records.list({ principal: "alice" });
  expect(found.map(({ observed: is }) => is ?? false)).toEqual([false, true, false, true]);
  expect(found.map(({ index }) => index)).toEqual(found.map(({ index }) => index).toSorted((a, b) => a - b));
  expect(await behest.records.list({ principal: "carol" })).toEqual([]);
});
