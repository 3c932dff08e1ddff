import { expect, test, vi } from "vitest";
import { signDecision } from "./approval.ts";
import { Estate, decideAll, pay } from "../../test/estate.ts";
import { PolicyFolder } from "../../test/policy/folder.ts";

const ASK = `permit(principal, action, resource);
@id("p") @ask("group:finance") forbid(principal, action, resource) when { context.tool == "pay" };`;

/** Once, before an action begins that was judged to be approved. */
function between(estate: Estate, meanwhile: () => Promise<unknown>): void {
  const { engine } = estate;
  const begin = engine.begin.bind(engine);
  vi.spyOn(engine, "begin").mockImplementationOnce(async (request) => {
    await meanwhile();
    return begin(request);
  });
}

test("a denial between the judgment and the start is what the agent is told and what is recorded", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": ASK });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r" });
  expect(await pay(session, "1")).toBe("approval_needed");
  const waiting = await decideAll(behest, estate.people.cfo);
  expect(waiting).toHaveLength(1);
  between(estate, async () =>
    behest.approvals.submit(
      waiting[0]!.id,
      await signDecision(waiting[0]!, { decision: "deny" }, estate.people.clerk),
    ),
  );
  expect(await pay(session, "1")).toBe("approval_denied");
  expect((await behest.records.list()).map(({ code }) => code)).toEqual([
    "approval_needed",
    "approval_denied",
  ]);
  expect(await estate.objections()).toEqual([]);
});

test("another approval between them is counted, and it starts once", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": ASK });
  await using behest = await estate.open({ policy: folder.path });
  const session = await behest.open(await estate.delegate(), { run: "r" });
  expect(await pay(session, "1")).toBe("approval_needed");
  const waiting = await decideAll(behest, estate.people.cfo);
  between(estate, async () =>
    behest.approvals.submit(
      waiting[0]!.id,
      await signDecision(waiting[0]!, { decision: "approve" }, estate.people.clerk),
    ),
  );
  expect(await pay(session, "1")).toBe("done");
  expect(await pay(session, "1")).toBe("done");
  expect((await behest.records.list()).map(({ code }) => code)).toEqual(["approval_needed", "ok"]);
  expect(await estate.objections()).toEqual([]);
});

test("what has expired by the store's clock alone is a denial that is recorded", async () => {
  using estate = await Estate.make();
  using folder = new PolicyFolder({ "a.cedar": ASK });
  const slow = estate.time.now;
  await using behest = await estate.open({ policy: folder.path, clock: () => slow });
  const session = await behest.open(await estate.delegate(), { run: "r" });
  expect(await pay(session, "1")).toBe("approval_needed");
  await decideAll(behest, estate.people.cfo);
  between(estate, async () => (estate.time.now += 25 * 3_600_000));
  expect(await pay(session, "1")).toBe("approval_denied");
  expect((await behest.records.list()).map(({ code }) => code)).toEqual([
    "approval_needed",
    "approval_denied",
  ]);
});
