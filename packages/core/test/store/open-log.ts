import { verifyLog } from "@behest/provenance";
import { expect } from "vitest";
import { shownIn } from "../../src/record/shown.ts";
import { type Engine, type Placed, type Store, engine as engineOf } from "../../src/store/types.ts";
import { type TestDeployment, testDeployment } from "./deployment.ts";

/** An attached store with one root delegation in its log. */
export interface OpenLog {
  readonly store: Store;
  readonly engine: Engine;
  readonly deployment: TestDeployment;
  readonly delegation: Placed;
}

export async function openLog(store: Store, made?: TestDeployment): Promise<OpenLog> {
  const deployment = made ?? (await testDeployment());
  const engine = store[engineOf];
  await engine.attach(await deployment.identity());
  return { store, engine, deployment, delegation: await engine.append(deployment.root()) };
}

/** Every failed or missing thing that a verifier finds in the log; the pinned owner is all it is given. */
export async function objections(engine: Engine, deployment: TestDeployment): Promise<readonly string[]> {
  const checkpoint = await engine.checkpoint();
  const { owner } = deployment;
  const report = await verifyLog({ entries: shownIn(engine), whole: true, checkpoint, owner });
  expect(report.size).toBe((await engine.entries(0, 1_000_000)).length);
  return report.findings
    .filter(({ state }) => state === "failed" || state === "missing")
    .map(({ code, index }) => `${code} at ${index}`);
}

export function placedOf(answer: object): Placed {
  const { placed } = answer as { placed?: Placed };
  if (!placed) throw new Error(`not started: ${JSON.stringify(answer)}`);
  return placed;
}

/** Registers a test on a fresh log, which must verify at its end. */
export type Behaviour = (title: string, body: (log: OpenLog) => Promise<void>) => void;
