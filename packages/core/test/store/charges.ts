import { expect } from "vitest";
import type { Begin, BeginResult, Charge, Finish } from "../../src/store/types.ts";
import { type Behaviour, type OpenLog, placedOf } from "./open-log.ts";

const HOUR = 3_600_000;
export const chargeOf = (counter: string, add: string, most: string): Charge => ({
  counter,
  add,
  most,
  until: Date.now() + HOUR,
});
const spent = (charge: number): BeginResult => ({ begun: "refused", code: "budget_spent", charge });

/** What counters hold, and when. */
export function chargeConformance(behaviour: Behaviour): void {
  const starting = ({ engine, deployment, delegation }: OpenLog) => {
    const begin = (
      action: string,
      charges: readonly Charge[],
      change: Partial<Begin> = {},
    ): Promise<BeginResult> => engine.begin(deployment.begin(action, delegation, { charges, ...change }));
    const finish = (action: string, begun: BeginResult, change: Partial<Finish>): Promise<unknown> => {
      const attempt = change.attempt ?? 1;
      return engine.finish(
        deployment.finish(deployment.begin(action, delegation, { attempt }), placedOf(begun), change),
      );
    };
    return { begin, finish };
  };

  behaviour("a counter takes as much as it may hold, exactly", async (log) => {
    const { begin } = starting(log);
    for (const action of ["1", "2", "3"])
      expect(await begin(action, [chargeOf("c", "0.1", "0.3")])).toMatchObject({ begun: "started" });
    expect(await begin("4", [chargeOf("c", `0.${"0".repeat(36)}1`, "0.3")])).toEqual(spent(0));
    expect(await begin("5", [chargeOf("c", "0", "0.30")])).toMatchObject({ begun: "started" });
    const much = "9".repeat(38);
    expect(await begin("6", [chargeOf("d", much, much)])).toMatchObject({ begun: "started" });
    expect(await begin("7", [chargeOf("d", "0.1", much)])).toEqual(spent(0));
    expect(await begin("8", [chargeOf("none", "1", "0")])).toEqual(spent(0));
  });

  behaviour("charges are made together or not at all, and what is refused leaves nothing", async (log) => {
    const { begin } = starting(log);
    const [a, b] = [chargeOf("a", "1", "2"), chargeOf("b", "1", "1")];
    expect(await begin("1", [a, b])).toMatchObject({ begun: "started" });
    expect(await begin("2", [a, b])).toEqual(spent(1));
    expect(await begin("3", [b, a])).toEqual(spent(0));
    expect(await log.engine.entries(0, 10)).toHaveLength(3);
    // Nothing was taken from the first counter, and the id is free.
    expect(await begin("2", [a])).toMatchObject({ begun: "started" });
    expect(await begin("4", [a])).toEqual(spent(0));
  });

  behaviour("each request has its own limit on a counter that it shares", async (log) => {
    const { begin } = starting(log);
    expect(await begin("1", [chargeOf("c", "3", "5")])).toMatchObject({ begun: "started" });
    expect(await begin("2", [chargeOf("c", "1", "3")])).toEqual(spent(0));
    expect(await begin("3", [chargeOf("c", "2", "5")])).toMatchObject({ begun: "started" });
  });

  behaviour("of 64 at once as many start as there is room for", async (log) => {
    const { begin } = starting(log);
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, i) =>
        begin(`${i}`, [chargeOf("c", "0.7", "16.8"), chargeOf("d", "1", "64")]),
      ),
    );
    expect(answers.filter(({ begun }) => begun === "started")).toHaveLength(24);
    expect(answers.filter(({ begun }) => begun === "refused")).toHaveLength(40);
    expect(await log.engine.entries(0, 100)).toHaveLength(26);
  });

  behaviour("an action is charged once, however often it is asked for and however it ends", async (log) => {
    const { begin, finish } = starting(log);
    const charges = [chargeOf("c", "1", "5")];
    for (const outcome of ["done", "failed", "aborted", "unknown"] as const) {
      const begun = await begin(outcome, charges);
      expect(await begin(outcome, charges)).toEqual({ begun: "running" });
      await finish(outcome, begun, { outcome });
      if (outcome === "done") expect(await begin(outcome, charges)).toMatchObject({ begun: "ended" });
      else expect(await begin(outcome, charges, { attempt: 2 })).toMatchObject({ begun: "started" });
    }
    expect(await begin("last", [chargeOf("c", "1.1", "5")])).toEqual(spent(0));
    expect(await begin("last", charges)).toMatchObject({ begun: "started" });
    expect(await begin("one more", charges)).toEqual(spent(0));
  });

  behaviour(
    "an attempt under another delegation is charged to that one's counters too, once",
    async (log) => {
      const { begin, finish } = starting(log);
      const [mine, theirs] = [chargeOf("mine", "1", "1"), chargeOf("theirs", "1", "1")];
      await finish("a", await begin("a", [mine]), { outcome: "failed" });
      expect(await begin("a", [mine, chargeOf("empty", "1", "0")], { attempt: 2 })).toEqual(spent(1));
      await finish("a", await begin("a", [mine, theirs], { attempt: 2 }), { outcome: "failed", attempt: 2 });
      expect(await begin("a", [mine, theirs], { attempt: 3 })).toMatchObject({ begun: "started" });
      expect(await begin("b", [theirs])).toEqual(spent(0));
    },
  );

  behaviour("what was not spent is given back once, and taken again by the next attempt", async (log) => {
    const { begin, finish } = starting(log);
    const [calls, amount] = [chargeOf("calls", "1", "2"), chargeOf("amount", "0.6", "1")];
    const begun = await begin("a", [calls, amount]);
    await finish("a", begun, { outcome: "failed", unspent: [amount, amount, chargeOf("never", "1", "1")] });
    await finish("a", begun, { outcome: "failed", unspent: [amount] });
    // All of it is there again, and no more than that.
    expect(await begin("whole", [chargeOf("amount", "1.1", "1")])).toEqual(spent(0));
    const again = await begin("a", [calls, amount], { attempt: 2 });
    expect(again).toMatchObject({ begun: "started" });
    expect(await begin("b", [calls, amount])).toEqual(spent(1));
    expect(await begin("b", [calls])).toMatchObject({ begun: "started" });
    expect(await begin("c", [calls])).toEqual(spent(0));
    await finish("a", again, { outcome: "done", attempt: 2 });
    expect(await begin("c", [amount])).toEqual(spent(0));
  });

  behaviour("a counter whose time is over takes nothing", async (log) => {
    const { begin } = starting(log);
    expect(await begin("a", [{ ...chargeOf("c", "1", "5"), until: Date.now() - 1 }])).toEqual(spent(0));
  });

  behaviour("what there is no room for leaves its approval unspent, and the other way round", async (log) => {
    const { engine, deployment, delegation } = log;
    const begin = deployment.begin("a", delegation, { rests: [{ id: "a", decisions: 0 }] });
    const unapproved = { begun: "refused", code: "approval_needed" };
    expect(await engine.begin({ ...begin, charges: [chargeOf("c", "1", "1")] })).toEqual(unapproved);
    const approval = {
      id: "a",
      kind: "ask" as const,
      args: begin.args,
      principal: "p1",
      run: "r",
      sealed: new Uint8Array(1),
      expires: Date.now() + HOUR,
    };
    await engine.append({ entry: deployment.denial("a", delegation).entry, approval });
    expect(await engine.begin({ ...begin, charges: [chargeOf("full", "1", "0")] })).toEqual(spent(0));
    expect(await engine.approval("a")).toMatchObject({ spent: false });
    expect(await engine.begin({ ...begin, charges: [chargeOf("c", "1", "1")] })).toMatchObject({
      begun: "started",
    });
  });

  behaviour("a delegation counts when it is stored, and once", async ({ engine, deployment, delegation }) => {
    const { entry } = deployment.interaction(delegation, "t");
    const child = (leaf: string, request?: string) => ({
      entry,
      charge: chargeOf("children", "1", "2"),
      delegation: {
        leaf,
        jti: `j${leaf}`,
        principal: "p1",
        sealed: new Uint8Array(1),
        ...(request !== undefined && { request }),
      },
    });
    const full = { code: "fan_out_spent" };
    await engine.append(child("1", "r"));
    await Promise.all([engine.append(child("1", "r")), engine.append(child("1", "r"))]);
    await expect(engine.append(child("1", "another"))).rejects.toMatchObject({ code: "action_conflict" });
    const answers = await Promise.allSettled([
      engine.append(child("2")),
      engine.append(child("3")),
      engine.begin(deployment.begin("a", delegation)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    await expect(engine.append(child("3"))).rejects.toMatchObject(full);
    expect(await engine.append(child("2"))).toMatchObject({ again: true });
    expect(await engine.delegationOf("3")).toBeUndefined();
    // manifest, root, two children, one action
    expect(await engine.entries(0, 10)).toHaveLength(5);
  });
}
