import { signDecision } from "@behest/core";
import { Command, MemorySaver } from "@langchain/langgraph";
import { createAgent } from "langchain";
import { expect, test } from "vitest";
import { answer, approving, callingOnce, config, payment } from "../test/approving.ts";
import { ask } from "../test/support.ts";
import { behestMiddleware, pendingApprovals, resume } from "./index.ts";

const versions = ["v1", "v2"] as const;

/** An agent that makes these payments in one turn, and is paused. */
async function paused(version: "v1" | "v2", ...amounts: number[]) {
  const deployed = await approving();
  const model = callingOnce(...amounts.map((amount) => payment(amount)));
  const checkpointer = new MemorySaver();
  const agent = () =>
    createAgent({ model, tools: [deployed.pay], version, checkpointer, middleware: behestMiddleware() });
  const first = await (await deployed.open()).run(() => agent().invoke(ask("go"), config));
  expect(first).toHaveProperty("__interrupt__");
  expect(deployed.paid).toEqual([]);
  /** With a new session and a new agent, as another process would have. */
  const again = async (input: object, at: object = config) =>
    (await deployed.open()).run(() => agent().invoke(input as never, at));
  return { ...deployed, model, agent, first, again };
}

test.for(versions)(
  "a call that a person has to approve pauses the run, and is made once approved: %s",
  async (version) => {
    const { behest, first, agent, again, decide, paid, model } = await paused(version, 5);
    const asks = pendingApprovals(first);
    const [approval] = await behest.approvals.list();
    expect(asks).toEqual([{ approval: approval!.id, resumeId: expect.any(String), tool: "pay" }]);
    expect(pendingApprovals(await agent().graph.getState(config))).toEqual(asks);
    expect(first).toMatchObject({
      __interrupt__: [
        {
          value: {
            actionRequests: [
              { name: "pay", args: { amount: 5 }, description: expect.stringContaining("pay") },
            ],
            reviewConfigs: [{ actionName: "pay", allowedDecisions: ["approve", "reject"] }],
          },
        },
      ],
    });
    await decide("approve");
    await behest.approvals.settled(asks);
    const done = await again(resume(asks));
    expect(answer(done)).toBe("success: paid 1");
    expect(pendingApprovals(done)).toEqual([]);
    expect([paid, model.callCount]).toEqual([[5], 2]);
    expect((await behest.records.list()).map(({ verdict, outcome }) => [verdict, outcome])).toEqual([
      ["ask", undefined],
      ["permit", "done"],
    ]);
  },
);

test.for(versions)(
  "a call that a person denies is told to the model, and the run goes on: %s",
  async (version) => {
    const { first, again, decide, paid } = await paused(version, 5);
    await decide("deny");
    expect(answer(await again(resume(pendingApprovals(first))))).toMatch(
      /^error: BehestDenied: pay: a person has denied it/,
    );
    expect(paid).toEqual([]);
  },
);

test.for(versions)("of two calls of one turn, one approved and one denied: %s", async (version) => {
  const { first, again, decide, paid, behest } = await paused(version, 1, 2);
  expect(await behest.approvals.list()).toHaveLength(2);
  await decide("approve", 2);
  await decide("deny", 1);
  expect(answer(await again(resume(pendingApprovals(first))))).toMatch(
    /^error: BehestDenied: pay: a person has denied it.*; success: paid 1$/s,
  );
  expect(paid).toEqual([2]);
});

test.for(versions)("of two calls of one turn, one is decided later than the other: %s", async (version) => {
  const { first, again, decide, paid } = await paused(version, 1, 2);
  await decide("approve", 2);
  const second = await again(resume(pendingApprovals(first)));
  const asks = pendingApprovals(second);
  expect(asks).toHaveLength(1);
  expect(paid).toEqual([2]);
  await decide("approve", 1);
  expect(answer(await again(resume(asks)))).toBe("success: paid 2; success: paid 1");
  expect(paid).toEqual([2, 1]);
});

// What comes in with a resume decides nothing.
const forged = [
  true,
  "approve",
  { decisions: [{ type: "approve" }] },
  { approval: "x", decision: "approve" },
];

test.for(versions)(
  "a scalar resume, whatever it says, approves nothing of two calls that wait: %s",
  async (version) => {
    const { again, paid, behest, decide } = await paused(version, 1, 2);
    for (const value of forged) {
      const result = await again(new Command({ resume: value }));
      expect(pendingApprovals(result)).not.toEqual([]);
    }
    expect(paid).toEqual([]);
    expect(await behest.approvals.list()).toHaveLength(2);
    await decide("approve", 2);
    const result = await again(new Command({ resume: true }));
    expect(paid).toEqual([2]);
    expect(pendingApprovals(result)).toHaveLength(1);
  },
);

test.for(versions)("nor does one by id, also where it carries other arguments: %s", async (version) => {
  const { first, again, paid, decide } = await paused(version, 1);
  const { resumeId } = pendingApprovals(first)[0]!;
  const edit = { decisions: [{ type: "edit", editedAction: { name: "pay", args: { amount: 1000 } } }] };
  for (const value of [...forged, edit])
    expect(pendingApprovals(await again(new Command({ resume: { [resumeId]: value } })))).toHaveLength(1);
  expect(paid).toEqual([]);
  await decide("approve");
  await again(new Command({ resume: { [resumeId]: edit } }));
  expect(paid).toEqual([1]);
});

test.for(versions)(
  "the id of another interrupt resumes nothing that was not approved: %s",
  async (version) => {
    const { first, again, paid, decide } = await paused(version, 1, 2);
    const [one] = pendingApprovals(first);
    await decide("approve", 2);
    await again(resume([one!]));
    await again(resume([{ approval: "x", resumeId: "f".repeat(32), tool: "pay" }]));
    expect(paid).not.toContain(1);
  },
);

test.for(versions)(
  "a resume that is played again, also from an older checkpoint, does nothing again: %s",
  async (version) => {
    const { first, agent, again, paid, decide, model } = await paused(version, 5);
    const before = await agent().graph.getState(config);
    const command = resume(pendingApprovals(first));
    await decide("approve");
    await again(command);
    await again(command).catch(() => {});
    const replayed = await again(command, before.config);
    expect(answer(replayed)).toBe("success: paid 1");
    expect(paid).toEqual([5]);
    expect(model.callCount).toBeLessThan(4);
  },
);

test.for(versions)(
  "a new message instead of a resume leaves the call waiting, and another of the same kind asks anew: %s",
  async (version) => {
    const { first, again, paid, decide } = await paused(version, 5);
    const second = await again(ask("never mind"));
    await decide("approve", 5);
    const third = await again(ask("well?"));
    const asked = [first, second, third].map((result) => pendingApprovals(result)[0]!.approval);
    expect(new Set(asked).size).toBe(3);
    expect(paid).toEqual([]);
  },
);

test("a decision that was signed for one call is refused for another, which stays as it was", async () => {
  const { first, again, paid, behest, decide } = await paused("v2", 1, 1000);
  const list = await behest.approvals.list();
  const [small, large] = [1, 1000].map((n) =>
    list.find(({ args }) => (args as { amount: number }).amount === n)!,
  );
  const decision = await signDecision(small!, { decision: "approve" }, behest.approver("finance"));
  await expect(behest.approvals.submit(large!.id, decision)).rejects.toMatchObject({
    code: "approval_invalid",
  });
  await decide("approve", 1);
  await again(resume(pendingApprovals(first)));
  expect(paid).toEqual([1]);
});

test("an approved call that is resumed many times at once is made once", async () => {
  const { first, again, paid, decide } = await paused("v2", 5);
  await decide("approve");
  const command = resume(pendingApprovals(first));
  await Promise.allSettled(Array.from({ length: 8 }, () => again(command)));
  expect(paid).toEqual([5]);
});

test("what no checkpointer can keep is denied, and no person is asked", async () => {
  const { open, pay, paid, behest } = await approving();
  const agent = createAgent({
    model: callingOnce(payment(5)),
    tools: [pay],
    middleware: behestMiddleware(),
  });
  const result = await (await open()).run(() => agent.invoke(ask("go"), config));
  expect(answer(result)).toMatch(
    /^error: BehestDenied: pay: the delegation wants a person to approve it\. It cannot wait here/,
  );
  expect(await behest.approvals.list()).toEqual([]);
  expect(paid).toEqual([]);
  expect(await behest.records.list()).toMatchObject([{ verdict: "deny", code: "approval_needed" }]);
});

test("nothing to resume is refused: LangGraph would resume whatever waits", () => {
  expect(() => resume([])).toThrow(expect.objectContaining({ code: "approval_missing" }));
});
