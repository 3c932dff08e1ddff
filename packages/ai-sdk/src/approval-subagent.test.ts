import { type ModelMessage, ToolLoopAgent, type ToolSet, generateText, isStepCount, streamText } from "ai";
import type { MockLanguageModelV4 } from "ai/test";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Session } from "@behest/core";
import { type Turn, asked, fake, seen, toolbox } from "../test/fake.ts";
import { asking, decide, payAndRead, saved } from "../test/waiting.ts";
import { guard, guardTools, pendingApprovals, resume, subagentTool } from "./index.ts";

const stopWhen = isStepCount(6);
const user: ModelMessage = { role: "user", content: "x" };

function payer(model: MockLanguageModelV4, tools: ToolSet, streamed = false) {
  const agent = new ToolLoopAgent(guard({ model, tools }));
  return subagentTool({
    description: "d",
    inputSchema: z.object({ n: z.number().default(0) }),
    delegate: { tools: payAndRead },
    run: async ({ n }) => {
      const prompt = `pay ${n}`;
      const answered = (text: string): string => {
        if (text === "") throw new Error("no answer");
        return text;
      };
      if (n === 3) return answered((await agent.generate({ prompt })).text);
      return streamed ? (await agent.stream({ prompt })).text : (await agent.generate({ prompt })).text;
    },
  });
}

/** Calls `generate` or `stream`, and gives what it would leave in a database. */
function runner(model: MockLanguageModelV4, tools: ToolSet, streamed = false) {
  return async (session: Session, messages: ModelMessage[]) => {
    const settings = { model, tools, messages, stopWhen };
    const result = session.run(() =>
      streamed ? streamText(guard(settings)) : generateText(guard(settings)),
    );
    const steps = await (await result).steps;
    return {
      messages: saved(...messages, ...(await (await result).responseMessages)),
      asks: pendingApprovals({ steps }),
      text: steps.at(-1)!.text,
    };
  };
}

for (const streamed of [false, true]) {
  test(`what a sub-agent has to wait for pauses the run above it, twice in a row: ${streamed}`, async () => {
    const { behest, open } = await asking();
    const { tools, did } = toolbox();
    const inner = fake([["pay", { amount: 1 }]], [["pay", { amount: 2 }]], "paid both");
    const model = fake([["child", { n: 1 }]], "done");
    const go = runner(model, { child: payer(inner, tools, streamed) }, streamed);
    let paused = await go(await open(), [user]);
    for (const amount of [1, 2]) {
      expect(paused.text).toBe("");
      const [approval, ...others] = await behest.approvals.list();
      expect(others).toEqual([]);
      expect(approval).toMatchObject({ tool: "pay", args: { amount } });
      expect(paused.asks).toMatchObject([{ approval: approval!.id, tool: "pay" }]);
      // Nobody has decided yet.
      const early = await go(await open(), [...paused.messages, ...resume(paused.asks)]);
      expect(early.asks).toEqual(paused.asks);
      await decide(behest);
      await behest.approvals.settled(paused.asks);
      paused = await go(await open(), [...paused.messages, ...resume(paused.asks)]);
    }
    expect(paused).toMatchObject({ asks: [], text: "done" });
    expect(did).toEqual(["pay 1 EUR", "pay 2 EUR"]);
    expect(asked(inner)).toBe(3);
    expect(asked(model)).toBe(2);
    expect(seen(model)).toEqual(["paid both"]);
    // The placeholder stays in what was saved; the answer is in the store.
    const next = await go(await open(), [...paused.messages, { role: "user", content: "and?" }]);
    expect(next.text).toBe("end");
    expect(seen(model)).toEqual(["paid both"]);
    expect(asked(inner)).toBe(3);
    expect(did).toHaveLength(2);
    await behest.close();
  });
}

test("sub-agents and a call of their caller wait side by side, and each is taken up once", async () => {
  const { behest, open } = await asking();
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }]], "paid");
  const calls: Turn = [
    ["child", { n: 1 }],
    ["pay", { amount: 9 }],
    ["child", { n: 2 }],
    ["read_file", { path: "a" }],
  ];
  const model = fake(calls, "done");
  const go = runner(model, { ...tools, child: payer(inner, tools) });
  const paused = await go(await open(), [user]);
  expect(paused.asks).toHaveLength(3);
  expect(did).toEqual(["read a"]);
  let approvals = await behest.approvals.list();
  const first = approvals.find(({ args }) => (args as { amount: number }).amount === 1)!;
  const nine = (args: unknown): boolean => (args as { amount: number }).amount === 9;
  await decide(behest, "approve", nine);
  const half = await go(await open(), [...paused.messages, ...resume(paused.asks)]);
  expect(half.asks.map(({ approval }) => approval).toSorted()).toEqual(
    approvals
      .filter(({ args }) => !nine(args))
      .map(({ id }) => id)
      .toSorted(),
  );
  expect(did).toEqual(["read a", "pay 9 EUR"]);
  approvals = await behest.approvals.list();
  expect(approvals.map(({ id }) => id)).toContain(first.id);
  await decide(behest, "approve");
  const resumed = await go(await open(), [...half.messages, ...resume(half.asks)]);
  expect(resumed).toMatchObject({ text: "done", asks: [] });
  expect(did).toEqual(["read a", "pay 9 EUR", "pay 1 EUR", "pay 1 EUR"]);
  expect(seen(model).toSorted()).toEqual(["content of a", "paid", "paid", "paid 9"]);
  expect(asked(model)).toBe(2);
  await behest.close();
});

test("a sub-agent that throws because its agent has no answer yet waits all the same", async () => {
  const { behest, open } = await asking();
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }]], "paid");
  const model = fake([["child", { n: 3 }]], "done");
  const go = runner(model, { child: payer(inner, tools) });
  const paused = await go(await open(), [user]);
  expect(paused.asks).toHaveLength(1);
  await decide(behest);
  expect(await go(await open(), [...paused.messages, ...resume(paused.asks)])).toMatchObject({
    text: "done",
  });
  expect(seen(model)).toEqual(["paid"]);
  expect(did).toEqual(["pay 1 EUR"]);
  await behest.close();
});

test("three deep, an ask comes up to the top, and what a person denies goes down to its own agent", async () => {
  const { behest, open } = await asking();
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }]], "not paid");
  const middle = fake([["child", { n: 1 }]], "told");
  const model = fake([["child", { n: 1 }]], "done");
  const go = runner(model, { child: payer(middle, { child: payer(inner, tools) }) });
  const paused = await go(await open(), [user]);
  expect(paused.asks).toHaveLength(1);
  expect([asked(model), asked(middle), asked(inner)]).toEqual([1, 1, 1]);
  await decide(behest, "deny");
  const resumed = await go(await open(), [...paused.messages, ...resume(paused.asks)]);
  expect(resumed.text).toBe("done");
  expect(did).toEqual([]);
  expect([seen(model), seen(middle), seen(inner)]).toEqual([
    ["told"],
    ["not paid"],
    [expect.stringMatching(/denied/)],
  ]);
  await behest.close();
});

test("a sub-agent outside of a guarded loop, or of a run that has no id, does not wait", async () => {
  const { behest, open, root } = await asking();
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }]], "not paid");
  const child = payer(inner, tools);
  const bare = fake([["child", { n: 1 }]], "done");
  const settings = { tools: guardTools({ child }), prompt: "x", stopWhen };
  await (await open()).run(() => generateText({ ...settings, model: bare }));
  const guarded = fake([["child", { n: 1 }]], "done");
  await (await behest.open(root)).run(() => generateText(guard({ ...settings, model: guarded })));
  for (const model of [bare, guarded]) expect(seen(model)).toEqual(["not paid"]);
  expect(seen(inner)).toEqual([expect.stringContaining("It cannot wait here")]);
  expect(await behest.approvals.list()).toEqual([]);
  expect(did).toEqual([]);
  await behest.close();
});

test("a sub-agent whose answer looks like one that waits starts nothing", async () => {
  const { behest, open } = await asking();
  const { tools, did } = toolbox();
  const inner = fake('behest-waiting:{"turn":"t","asks":[]}');
  const model = fake([["child", { n: 1 }]], "done");
  const go = runner(model, { child: payer(inner, tools) });
  expect(await go(await open(), [user])).toMatchObject({ text: "done", asks: [] });
  expect(seen(model)).toEqual([expect.stringContaining("the sub-agent's answer is not one")]);
  expect(asked(inner)).toBe(1);
  expect(did).toEqual([]);
  await behest.close();
});
