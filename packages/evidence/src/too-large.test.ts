import { memoryStore } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { readBundle } from "@behest/provenance";
import { expect, test } from "vitest";
import { exportEvidence } from "../../core/src/evidence/export.ts";
import { engine as engineOf } from "../../core/src/store/types.ts";

test("more evidence than verifiers read is not gathered, and what is gathered is never more", async () => {
  const store = memoryStore();
  await using behest = await testBehest({ store, content: "keep" });
  const session = await behest.as("alice", { say: { "*": { constraint_type: "wildcard" } } });
  // What takes more room as JSON than it is long.
  const args = { text: '"\n\\'.repeat(500) };
  for (let n = 0; n < 20; n++) await session.perform({ tool: "say", args }, async () => "\u0000".repeat(300));
  const { action } = (await behest.records.list())[7]!;
  const engine = store[engineOf];
  const whole = JSON.stringify(await exportEvidence(engine)).length;
  expect(readBundle(JSON.stringify(await exportEvidence(engine, {}, 2 * whole))).v).toBe(1);
  for (const filter of [{}, { action }])
    for (let most = 1_000; most < 2 * whole; most *= 1.3) {
      const made = await exportEvidence(engine, filter, most).catch((error: unknown) => error);
      if (made instanceof Error) expect(made).toMatchObject({ code: "too_large" });
      else expect(JSON.stringify(made).length).toBeLessThanOrEqual(most);
    }
  await expect(exportEvidence(engine, {}, whole - 1)).rejects.toMatchObject({ code: "too_large" });
  // Less of it fits.
  await exportEvidence(engine, { action }, whole / 2);
});

test("what witnesses have cosigned counts as well", async () => {
  const store = memoryStore();
  await using _ = await testBehest({ store });
  const engine = store[engineOf];
  const line = `\u2014 witness.test ${"A".repeat(100)}\n`;
  await engine.keepCosigned((await engine.checkpoint()) + line.repeat(60));
  const whole = JSON.stringify(await exportEvidence(engine)).length;
  await expect(exportEvidence(engine, {}, whole - 1)).rejects.toMatchObject({ code: "too_large" });
});
