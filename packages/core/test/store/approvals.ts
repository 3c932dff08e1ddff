import { expect } from "vitest";
import type { ApprovalRow, Rest } from "../../src/store/types.ts";
import { chargeOf } from "./charges.ts";
import { type Behaviour, placedOf } from "./open-log.ts";

/** How actions wait for persons. */
export function approvalConformance(behaviour: Behaviour): void {
  const row = (id: string, change: Partial<ApprovalRow> = {}): ApprovalRow => ({
    id,
    kind: "ask",
    args: "args",
    principal: "p1",
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
    expect((await engine.approvals()).map(({ id }) => id)).toEqual(["a"]);
  });

  behaviour("what was asked for in a run is told whatever has come of it", async (log) => {
    const { engine, deployment, delegation } = log;
    const asked = [row("a", { expires: Date.now() - 1 }), row("b"), row("c", { run: "another" })];
    for (const approval of asked)
      await engine.append({ entry: deployment.denial(approval.id, delegation).entry, approval });
    const begin = deployment.begin("b", delegation, { repeatable: false });
    await engine.append({ entry: deployment.denial("d", delegation).entry, decides: ["b"] });
    expect(await engine.begin({ ...begin, rests: [{ id: "b", decisions: 1 }] })).toMatchObject({
      begun: "started",
    });
    const found = await engine.approvals("r");
    expect(found.map(({ id, spent }) => [id, spent])).toEqual([
      ["a", false],
      ["b", true],
    ]);
    expect(await engine.approvals("none")).toEqual([]);
  });

  behaviour("it starts on the decisions that were judged, once, and on no others", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const args = begin.args;
    const refused = { begun: "refused", code: "approval_needed" };
    expect(await engine.begin({ ...begin, rests: [{ id: "a", decisions: 0 }] })).toEqual(refused);
    await engine.append({ entry: deployment.denial("a", delegation).entry, approval: row("a", { args }) });
    expect(await engine.begin({ ...begin, rests: [{ id: "a", decisions: 1 }] })).toEqual(refused);
    const decision = await engine.append({ entry: deployment.denial("d", delegation).entry, decides: ["a"] });
    expect((await engine.approval("a"))!.decisions).toEqual([{ index: decision.index, hash: decision.hash }]);
    // Somebody decided between the judgment and the start.
    expect(await engine.begin({ ...begin, rests: [{ id: "a", decisions: 0 }] })).toEqual(refused);
    const starts = await Promise.all(
      Array.from({ length: 8 }, () => engine.begin({ ...begin, rests: [{ id: "a", decisions: 1 }] })),
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

  behaviour("what was asked for does not start without its ask, whatever permits it since", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation, { repeatable: true });
    const refused = { begun: "refused", code: "approval_needed" };
    const approval = row("a", { args: begin.args });
    await engine.append({ entry: deployment.denial("a", delegation).entry, approval });
    expect(await engine.begin(begin)).toEqual(refused);
    await engine.append({ entry: deployment.denial("d", delegation).entry, decides: ["a"] });
    expect(await engine.begin(begin)).toEqual(refused);
    expect(await engine.begin({ ...begin, rests: [] })).toEqual(refused);
    const rests = [{ id: "a", decisions: 1 }];
    const begun = placedOf(await engine.begin({ ...begin, rests }));
    await engine.finish(deployment.finish(begin, begun, { outcome: "failed" }));
    expect(await engine.begin(deployment.begin("a", delegation, { attempt: 2 }))).toEqual(refused);
  });

  behaviour("an approval that has expired starts nothing, and waits no more", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation, { repeatable: false });
    const late = row("a", { args: begin.args, expires: Date.now() - 1 });
    await engine.append({ entry: deployment.denial("a", delegation).entry, approval: late });
    await engine.append({ entry: deployment.denial("d", delegation).entry, decides: ["a"] });
    expect(await engine.approvals()).toEqual([]);
    expect(await engine.begin({ ...begin, rests: [{ id: "a", decisions: 1 }] })).toEqual({
      begun: "refused",
      code: "approval_needed",
    });
  });

  const answersTo = async (begun: Promise<object>): Promise<unknown> => {
    const answer = await begun;
    return "code" in answer ? answer.code : (answer as { begun: string }).begun;
  };

  behaviour("one entry decides on all that it names, and each of it is spent by itself", async (log) => {
    const { engine, deployment, delegation } = log;
    const ids = ["a", "b", "c"];
    for (const id of ids)
      await engine.append({ entry: deployment.denial(id, delegation).entry, approval: row(id) });
    const plan = await engine.append({
      entry: deployment.denial("d", delegation).entry,
      decides: ids,
      once: "plan",
    });
    for (const id of ids)
      expect((await engine.approval(id))!.decisions).toEqual([{ index: plan.index, hash: plan.hash }]);
    expect(
      await engine.append({
        entry: deployment.denial("d", delegation).entry,
        decides: ids,
        once: "plan",
      }),
    ).toMatchObject({ again: true });
    const start = (id: string, rest = id) =>
      answersTo(
        engine.begin(
          deployment.begin(id, delegation, { repeatable: false, rests: [{ id: rest, decisions: 1 }] }),
        ),
      );
    expect(await start("a")).toBe("started");
    // Another action's approval is no approval, whatever its arguments.
    expect(await start("e", "b")).toBe("approval_needed");
    expect(await start("b", "c")).toBe("approval_needed");
    expect(await start("b")).toBe("started");
    expect((await engine.approvals()).map(({ id }) => id)).toEqual(["c"]);
  });

  behaviour("what was signed ahead starts many, until it expires or somebody decides on it", async (log) => {
    const { engine, deployment, delegation } = log;
    const { entry } = deployment.denial("m", delegation);
    const ahead = (id: string, change: Partial<ApprovalRow> = {}): ApprovalRow => {
      const { run: _, ...rest } = row(id, { kind: "mandate", ...change });
      return rest;
    };
    const signed = await engine.append({ entry, approval: ahead("m"), decides: ["m"] });
    expect(await engine.append({ entry, approval: ahead("m"), decides: ["m"] })).toMatchObject({
      again: true,
    });
    await expect(engine.append({ entry, approval: ahead("m", { args: "x" }) })).rejects.toMatchObject({
      code: "action_conflict",
    });
    await engine.append({
      entry,
      approval: ahead("o", { kind: "override", principal: "p2" }),
      decides: ["o"],
    });
    await engine.append({ entry, approval: ahead("late", { expires: Date.now() - 1 }), decides: ["late"] });
    const names = async (filter: { principal?: string; since: number }): Promise<string[]> =>
      (await engine.ahead(filter)).map(({ id }) => id);
    expect(await names({ since: Date.now() })).toEqual(["m", "o"]);
    expect(await names({ since: 0, principal: "p1" })).toEqual(["m", "late"]);
    expect(await engine.approvals()).toEqual([]);
    const [stored] = await engine.ahead({ since: 0 });
    expect(stored).toMatchObject({ kind: "mandate", asked: { index: signed.index, hash: signed.hash } });
    expect(stored!.decisions).toHaveLength(1);
    expect("run" in stored!).toBe(false);

    const start = (id: string, ...rests: Rest[]) =>
      answersTo(engine.begin(deployment.begin(id, delegation, { repeatable: false, rests })));
    const m = { id: "m", decisions: 1 };
    expect(await start("1", m)).toBe("started");
    expect(await start("2", m, { id: "o", decisions: 1 })).toBe("started");
    expect(await start("3", m, { id: "late", decisions: 1 })).toBe("approval_needed");
    expect(await start("3", m, { id: "nowhere", decisions: 0 })).toBe("approval_needed");
    // Its own ask has to be among it, whoever has decided on it since, and is spent.
    await engine.append({ entry, approval: row("4") });
    expect(await start("4", m)).toBe("approval_needed");
    await engine.append({ entry, decides: ["4"] });
    expect(await start("4", m, { id: "4", decisions: 0 })).toBe("approval_needed");
    expect(await start("4", m, { id: "4", decisions: 1 })).toBe("started");
    expect(await engine.approval("4")).toMatchObject({ spent: true });
    await engine.append({ entry, decides: ["m"] });
    expect(await start("5", m)).toBe("approval_needed");
    expect(await Promise.all(["1", "5"].map((id) => engine.hasBegun(id)))).toEqual([true, false]);
  });

  behaviour("64 at once use what was signed ahead no more often than it holds", async (log) => {
    const { engine, deployment, delegation } = log;
    const { entry } = deployment.denial("m", delegation);
    await engine.append({ entry, approval: row("m", { kind: "mandate" }), decides: ["m"] });
    const rests = [{ id: "m", decisions: 1 }];
    const charges = [chargeOf("m.calls", "1", "7")];
    const begun = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        engine.begin(deployment.begin(`a${i}`, delegation, { rests, charges })),
      ),
    );
    expect(begun.filter((one) => one.begun === "started")).toHaveLength(7);
    expect(await engine.held(["m.calls", "unknown"])).toEqual(["7", "0"]);
  });

  behaviour("a later attempt of a read rests on what its first one spent", async (log) => {
    const { engine, deployment, delegation } = log;
    const rests = [{ id: "a", decisions: 1 }];
    const begin = deployment.begin("a", delegation, { rests });
    await engine.append({
      entry: deployment.denial("a", delegation).entry,
      approval: row("a", { args: begin.args }),
      decides: ["a"],
    });
    const begun = placedOf(await engine.begin(begin));
    await engine.finish(deployment.finish(begin, begun, { outcome: "failed" }));
    expect(
      await engine.begin(
        deployment.begin("a", delegation, { attempt: 2, rests: [{ id: "b", decisions: 0 }] }),
      ),
    ).toMatchObject({ code: "approval_needed" });
    expect(
      await engine.begin(
        deployment.begin("a", delegation, { attempt: 2, rests: [{ id: "a", decisions: 0 }] }),
      ),
    ).toMatchObject({ code: "approval_needed" });
    expect(await engine.begin(deployment.begin("a", delegation, { attempt: 2, rests }))).toMatchObject({
      begun: "started",
    });
  });
}
