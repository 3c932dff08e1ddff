import { parseEntry, verifyLog } from "@behest/provenance";
import { expect } from "vitest";
import type { Engine } from "../../src/store/types.ts";
import { type Behaviour, placedOf } from "./open-log.ts";

/** Entry keys and manifests that change while a process runs. The log verifies at the end of each of these. */
export function rotationConformance(behaviour: Behaviour): void {
  behaviour("another entry key signs from where it is certified on, and counts from 0", async (log) => {
    const { engine, deployment, delegation } = log;
    const before = deployment.begin("a", delegation);
    const placed = placedOf(await engine.begin(before));
    await engine.rotate(await deployment.identity());
    // What the first key has begun the second one ends.
    expect(await engine.finish(deployment.finish(before, placed))).toMatchObject({ finished: "ended" });
    await engine.rotate(await deployment.identity());
    await engine.append(deployment.denial("b", delegation));
    const signed = (await engine.entries(0, 100)).map((jws) => parseEntry(jws));
    expect(signed.map(({ seq }) => seq)).toEqual([0, 1, 2, 0, 1, 0, 1]);
    expect(new Set(signed.map(({ kid }) => kid)).size).toBe(3);
    expect(await engine.recorded("trust:")).toEqual([0, 3, 5]);
  });

  behaviour(
    "what is under way while the key changes is all there, once",
    async ({ engine, deployment, delegation }) => {
      const writes: Promise<unknown>[] = [];
      for (let i = 0; i < 60; i++) {
        writes.push(engine.begin(deployment.begin(`a${i}`, delegation)));
        if (i % 20 === 10) writes.push(engine.rotate(await deployment.identity()));
      }
      await Promise.all(writes);
      expect(await engine.entries(0, 1000)).toHaveLength(2 + 60 + 3);
    },
  );

  behaviour(
    "the next manifest is taken up with a new key, and is an entry",
    async ({ engine, deployment, delegation }) => {
      await deployment.replaceEnforcer();
      await engine.rotate(await deployment.identity());
      await engine.append(deployment.denial("a", delegation));
      expect(await counted(engine, deployment.owner)).toEqual({ trust: 2, action: 1 });
      // The one in force again is only a certificate.
      await engine.rotate(await deployment.identity());
      const entries = await engine.entries(0, 100);
      const manifests = entries.filter((jws) => parseEntry(jws).payload.includes('"manifest"'));
      expect(manifests).toHaveLength(2);
    },
  );

  behaviour("a manifest that does not follow, or a key it does not certify, changes nothing", async (log) => {
    const { engine, deployment, delegation } = log;
    const old = await deployment.identity();
    await deployment.nextTrust();
    await engine.rotate(await deployment.identity());
    const size = (await engine.entries(0, 100)).length;
    const invalid = { code: "trust_invalid" };
    // Older than the one in force.
    await expect(engine.rotate(old)).rejects.toMatchObject(invalid);
    // One is left out.
    await deployment.nextTrust();
    await deployment.nextTrust();
    const skipping = await deployment.identity();
    await expect(engine.rotate(skipping)).rejects.toMatchObject(invalid);
    const { certificate } = await deployment.identity();
    await expect(engine.rotate({ ...skipping, certificate })).rejects.toMatchObject(invalid);
    expect(await engine.entries(0, 100)).toHaveLength(size);
    await engine.append(deployment.denial("a", delegation));
  });
}

async function counted(engine: Engine, owner: string): Promise<{ trust: number; action: number }> {
  const entries = await engine.entries(0, 100);
  const { counts } = await verifyLog({ entries, checkpoint: await engine.checkpoint(), owner });
  return { trust: counts.trust, action: counts.action };
}
