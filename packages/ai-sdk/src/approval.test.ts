import { type ModelMessage, ToolLoopAgent, generateText, isStepCount, streamText } from "ai";
import { expect, test } from "vitest";
import type { Session } from "@behest/core";
import { type Turn, asked, fake, seen, toolbox } from "../test/fake.ts";
import { asking, decide, saved } from "../test/waiting.ts";
import { guard, pendingApprovals, resume } from "./index.ts";

const stopWhen = isStepCount(5);
const user: ModelMessage = { role: "user", content: "x" };
const pay5: Turn[] = [[["pay", { amount: 5 }]], "done"];

type Basics = Pick<Parameters<typeof generateText>[0], "model"> & {
  tools: ReturnType<typeof toolbox>["tools"];
};
interface Paused {
  readonly messages: ModelMessage[];
  readonly asks: ReturnType<typeof pendingApprovals>;
  readonly text: string;
}

/** One call of the SDK, however it is made; what it would leave in a database. */
const HOW: { [how: string]: (session: Session, s: Basics, messages: ModelMessage[]) => Promise<Paused> } = {
  generateText: async (session, s, messages) => {
    const result = await generateText(guard({ ...s, messages, stopWhen }, session));
    return {
      messages: saved(...messages, ...result.responseMessages),
      asks: pendingApprovals(result),
      text: result.text,
    };
  },
  streamText: async (session, s, messages) => {
    const result = session.run(() => streamText(guard({ ...s, messages, stopWhen })));
    const steps = await result.steps;
    return {
      messages: saved(...messages, ...(await result.responseMessages)),
      asks: pendingApprovals({ steps }),
      text: await result.text,
    };
  },
  "an agent": async (session, s, messages) => {
    const agent = new ToolLoopAgent(guard(s));
    const result = await session.run(() => agent.generate({ messages }));
    return {
      messages: saved(...messages, ...result.responseMessages),
      asks: pendingApprovals(result),
      text: result.text,
    };
  },
  "an agent's stream": async (session, s, messages) => {
    const agent = new ToolLoopAgent(guard(s));
    const result = await session.run(() => agent.stream({ messages }));
    return {
      messages: saved(...messages, ...(await result.responseMessages)),
      asks: pendingApprovals(await result.finalStep),
      text: await result.text,
    };
  },
};

for (const [how, go] of Object.entries(HOW)) {
  test(`a call that a person has to approve pauses the run, and runs once: ${how}`, async () => {
    const { behest, open } = await asking();
    const { tools, did } = toolbox();
    const model = fake(...pay5);
    const paused = await go(await open(), { model, tools }, [user]);
    expect(did).toEqual([]);
    expect(asked(model)).toBe(1);
    const [approval, ...others] = await behest.approvals.list();
    expect(others).toEqual([]);
    expect(approval).toMatchObject({ tool: "pay", args: { amount: 5, currency: "EUR" } });
    expect(paused.asks).toEqual([{ approval: approval!.id, tool: "pay", resumeId: expect.any(String) }]);
    await decide(behest);
    await behest.approvals.settled(paused.asks);
    const resumed = await go(await open(), { model, tools }, [...paused.messages, ...resume(paused.asks)]);
    expect(resumed).toMatchObject({ text: "done", asks: [] });
    expect(did).toEqual(["pay 5 EUR"]);
    expect(seen(model)).toEqual(["paid 5"]);
    expect(JSON.stringify(model.doGenerateCalls.concat(model.doStreamCalls))).not.toContain("behest");
    const records = await behest.records.list();
    expect(records.map((r) => [r.tool, r.verdict, r.outcome])).toEqual([
      ["pay", "ask", undefined],
      ["pay", "permit", "done"],
    ]);
    expect((await behest.records.get(records[0]!.index))!.entries.interaction).toBeDefined();
    await behest.close();
  });

  test(`what a person has denied is told to the model, with the reason: ${how}`, async () => {
    const { behest, open } = await asking();
    const { tools, did } = toolbox();
    const model = fake(...pay5);
    const paused = await go(await open(), { model, tools }, [user]);
    await decide(behest, "deny");
    const resumed = await go(await open(), { model, tools }, [...paused.messages, ...resume(paused.asks)]);
    expect(resumed).toMatchObject({ text: "done", asks: [] });
    expect(seen(model)).toEqual(["execution-denied"]);
    expect(did).toEqual([]);
    const records = await behest.records.list();
    expect(records.map(({ verdict, code }) => `${verdict} ${code}`)).toEqual([
      "ask approval_needed",
      "deny approval_denied",
    ]);
    await behest.close();
  });

  test(`a run that is taken up while it waits pauses again, and can be taken up from either: ${how}`, async () => {
    const { behest, open } = await asking();
    const { tools, did } = toolbox();
    const model = fake(...pay5);
    const first = await go(await open(), { model, tools }, [user]);
    let again = first;
    for (let i = 0; i < 2; i++) {
      again = await go(await open(), { model, tools }, [...again.messages, ...resume(again.asks)]);
      expect(again.asks).toEqual(first.asks);
    }
    expect(asked(model)).toBe(1);
    expect(await behest.records.list()).toHaveLength(1);
    await decide(behest);
    for (const { messages, asks } of [again, first]) {
      const resumed = await go(await open(), { model, tools }, [...messages, ...resume(asks)]);
      expect(resumed.text).toBe("done");
      expect(seen(model)).toEqual(["paid 5"]);
    }
    expect(did).toEqual(["pay 5 EUR"]);
    await behest.close();
  });

  test(`of parallel calls each goes its own way: ${how}`, async () => {
    const { behest, open } = await asking();
    const { tools, did } = toolbox();
    const calls: Turn = [
      ["pay", { amount: 1 }],
      ["read_file", { path: "a" }],
      ["pay", { amount: 2 }],
    ];
    const model = fake(calls, "done");
    const paused = await go(await open(), { model, tools }, [user]);
    expect(paused.asks).toHaveLength(2);
    expect(did).toEqual(["read a"]);
    const is = (amount: number) => (args: unknown) => (args as { amount: number }).amount === amount;
    await decide(behest, "approve", is(1));
    await decide(behest, "deny", is(2));
    const resumed = await go(await open(), { model, tools }, [...paused.messages, ...resume(paused.asks)]);
    expect(resumed.text).toBe("done");
    expect(did).toEqual(["read a", "pay 1 EUR"]);
    expect(seen(model).toSorted()).toEqual(["content of a", "execution-denied", "paid 1"]);
    await behest.close();
  });

  test(`a run that is begun again, instead of taken up, asks nothing twice: ${how}`, async () => {
    const { behest, open } = await asking();
    const { tools, did } = toolbox();
    const model = fake(...pay5);
    const first = await go(await open(), { model, tools }, [user]);
    const second = await go(await open(), { model, tools }, [user]);
    expect(second.asks.map(({ approval }) => approval)).toEqual(first.asks.map(({ approval }) => approval));
    await decide(behest);
    expect((await go(await open(), { model, tools }, [user])).text).toBe("done");
    expect(did).toEqual(["pay 5 EUR"]);
    expect(asked(model)).toBe(2);
    await behest.close();
  });
}

test("an approved call that fails tells the model its own error, now and later, and is not made again", async () => {
  const { behest, open } = await asking();
  let ran = 0;
  const { tools: all } = toolbox();
  const failing = async (): Promise<string> => {
    ran++;
    throw new Error("no funds");
  };
  const tools = { ...all, pay: { ...all.pay, execute: failing } };
  const model = fake(...pay5);
  const go = HOW["generateText"]!;
  const paused = await go(await open(), { model, tools }, [user]);
  await decide(behest);
  const told = await go(await open(), { model, tools }, [...paused.messages, ...resume(paused.asks)]);
  await go(await open(), { model, tools }, [...told.messages, { role: "user", content: "and?" }]);
  for (const n of [1, 2]) expect(seen(model, n)).toEqual([expect.stringContaining("no funds")]);
  expect(ran).toBe(1);
  await behest.close();
});
