import { expect } from "vitest";
import type { ApprovalRow } from "../../src/store/types.ts";
import type { Behaviour } from "./open-log.ts";

/** How actions wait for persons. */
export function approvalConformance(behaviour: Behaviour): void {
  const row = (action: string, change: Partial<ApprovalRow> = {}): ApprovalRow => ({
    action,
    args: "args",
    principal: "p1",
    session: "s",
    run: "r",
    sealed: new Uint8Array([1, 2]),
    expires: Date.now() + 60_000,
    ...change,
  });

  behaviour("an action is asked for once, and not with other arguments", async (log) => {
    const { engine, deployment, delegation } = log;
    expect(await engine.approval("a")).toBeUndefined();
    const { entry } = deployment.denial("a", delegation);
    const asked = await engine.append({ entry, approval: row("a") });
    expect(await engine.append({ entry, approval: row("a") })).toMatchObject({
      index: asked.index,
      again: true,
    });
    await expect(engine.append({ entry, approval: row("a", { args: "x" }) })).rejects.toMatchObject({
      code: "action_conflict",
    });
    const { expires, ...rest } = row("a");
    expect(expires).toBeGreaterThan(0);
    expect(await engine.approval("a")).toMatchObject({
      ...rest,
      asked: { index: asked.index, hash: asked.hash },
      spent: false,
      decisions: [],
    });
    expect((await engine.approvals()).map(({ action }) => action)).toEqual(["a"]);
  });

  behaviour("it starts on the decisions that were judged, once, and on no others", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const args = begin.args;
    const refused = { begun: "refused", code: "approval_needed" };
    expect(await engine.begin({ ...begin, decisions: 0 })).toEqual(refused);
    await engine.append({ entry: deployment.denial("a", delegation).entry, approval: row("a", { args }) });
    expect(await engine.begin({ ...begin, decisions: 1 })).toEqual(refused);
    const decision = await engine.append({ entry: deployment.denial("d", delegation).entry, decides: "a" });
    expect((await engine.approval("a"))!.decisions).toEqual([{ index: decision.index, hash: decision.hash }]);
    // Somebody decided between the judgment and the start.
    expect(await engine.begin({ ...begin, decisions: 0 })).toEqual(refused);
    const starts = await Promise.all(
      Array.from({ length: 8 }, () => engine.begin({ ...begin, decisions: 1 })),
    );
    expect(
      starts
        .map(({ begun }) => begun)
        .toSorted()
        .slice(-1),
    ).toEqual(["started"]);
    expect(starts.filter(({ begun }) => begun === "started")).toHaveLength(1);
    expect(await engine.approval("a")).toMatchObject({ spent: true });
    expect(await engine.approvals()).toEqual([]);
  });

  behaviour("an approval that has expired starts nothing, and waits no more", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const late = row("a", { args: begin.args, expires: Date.now() - 1 });
    await engine.append({ entry: deployment.denial("a", delegation).entry, approval: late });
    await engine.append({ entry: deployment.denial("d", delegation).entry, decides: "a" });
    expect(await engine.approvals()).toEqual([]);
    expect(await engine.begin({ ...begin, decisions: 1 })).toEqual({
      begun: "refused",
      code: "approval_needed",
    });
  });
}
