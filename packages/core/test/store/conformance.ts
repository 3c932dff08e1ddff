import type { Manifest } from "@behest/provenance";
import { expect, test } from "vitest";
import { type Store, engine as engineOf } from "../../src/store/types.ts";
import { actionConformance } from "./actions.ts";
import { approvalConformance } from "./approvals.ts";
import { chargeConformance } from "./charges.ts";
import { testDeployment } from "./deployment.ts";
import { erasureConformance } from "./erasure.ts";
import { type Behaviour, objections, openLog } from "./open-log.ts";
import { pruningConformance } from "./pruning.ts";
import { rotationConformance } from "./rotation.ts";
import { rowConformance } from "./rows.ts";

/** What every store must do. `swept`: nothing of what is erased is left in its journal when that is answered. */
export function storeConformance(
  name: string,
  make: () => Store | Promise<Store>,
  { swept = true }: { readonly swept?: boolean } = {},
): void {
  const behaviourOf = (title: string, body: Parameters<Behaviour>[1], change?: Partial<Manifest>): void =>
    test(`${name}: ${title}`, async () => {
      const log = await openLog(await make(), await testDeployment(change));
      try {
        await body(log);
        expect(await objections(log.engine, log.deployment)).toEqual([]);
      } finally {
        await log.store.close();
      }
    });
  const behaviour: Behaviour = (title, body) => behaviourOf(title, body);
  actionConformance(behaviour);
  chargeConformance(behaviour);
  rowConformance(behaviour);
  approvalConformance(behaviour);
  erasureConformance(behaviour, swept);
  rotationConformance(behaviour);
  pruningConformance((title, body) => behaviourOf(title, body, { retention: 0 }), swept);

  test(`${name}: nothing is written before attach or after close, and closing twice is closing once`, async () => {
    const store = await make();
    const deployment = await testDeployment();
    const engine = store[engineOf];
    const failed = { code: "store_failed" };
    await expect(engine.append(deployment.root())).rejects.toMatchObject(failed);
    await expect(engine.checkpoint()).rejects.toMatchObject({ code: "store_missing" });
    const { delegation } = await openLog(store, deployment);
    await expect(engine.attach(await deployment.identity())).rejects.toMatchObject(failed);
    const last = engine.begin(deployment.begin("a", delegation));
    await Promise.all([store.close(), store.close()]);
    expect(await last).toMatchObject({ begun: "started" });
    await store.close();
    await expect(engine.begin(deployment.begin("b", delegation))).rejects.toMatchObject(failed);
    await expect(engine.principal("iss", "alice")).rejects.toMatchObject(failed);
  });

  test(`${name}: a certificate of another key, or by nobody the manifest names, opens nothing`, async () => {
    const deployment = await testDeployment();
    const other = await testDeployment();
    const [mine, mine2, theirs] = [
      await deployment.identity(),
      await deployment.identity(),
      await other.identity(),
    ];
    for (const certificate of [mine2.certificate, theirs.certificate, "x"]) {
      const store = await make();
      const attached = store[engineOf].attach({ ...mine, certificate });
      await expect(attached).rejects.toMatchObject({ code: "trust_invalid" });
      await store.close();
    }
  });
}
