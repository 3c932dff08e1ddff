import { testBehest } from "@behest/core/testing";
import { Command, MemorySaver } from "@langchain/langgraph";
import { AIMessage, type BaseMessage, createAgent } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, told } from "../test/support.ts";
import { behestMiddleware, subagentTool } from "./index.ts";
import { both, config, granted, paying, results } from "../test/paying.ts";

interface Invocable {
  invoke(input: object, options?: object): Promise<{ messages: BaseMessage[] }>;
}

/** Three agents, each started by the one above; the last pays and pauses. */
function nested(checkpointer: false | undefined) {
  const { paid, pay, askPerson, pauses } = paying();
  const asked = [0, 0, 0];
  const saver = new MemorySaver();
  const agentAt = (depth: number): Invocable => {
    const spawn = subagentTool({
      name: "spawn",
      description: "d",
      schema: z.object({}),
      delegate: { agent: `level-${depth + 1}`, tools: granted },
      run: async (): Promise<string> => (await agentAt(depth + 1).invoke(ask("go"))).messages.at(-1)!.text,
    });
    const model = deciding((messages) => {
      asked[depth]!++;
      if (results(messages) > 0) return new AIMessage(told(messages).join(", "));
      return depth < 2 ? calling({ name: "spawn", args: {} }) : both();
    });
    const tools = [pay, askPerson, spawn];
    const middleware = behestMiddleware([pauses]);
    return createAgent({
      model,
      tools,
      middleware,
      checkpointer: depth === 0 ? saver : checkpointer,
    }) as Invocable;
  };
  return { agent: () => agentAt(0), paid, asked };
}

test("a completed sibling inside of a paused sub-agent, three deep, does nothing again on resume", async () => {
  await using behest = await testBehest();
  const { agent, paid, asked } = nested(undefined);
  const first = await behest.as("alice", granted);
  expect(await first.run(() => agent().invoke(ask("go"), config))).toHaveProperty("__interrupt__");
  const second = await behest.as("alice", granted);
  const { messages } = await second.run(() => agent().invoke(new Command({ resume: "yes" }), config));
  expect(told(messages)).toEqual(["success: success: success: paid 1, success: asked"]);
  expect([paid, asked]).toEqual([[5], [2, 2, 2]]);
});

test("nor where the sub-agents have no checkpointer and start over each time, which LangGraph never resumes", async () => {
  await using behest = await testBehest();
  const { agent, paid, asked } = nested(false);
  const session = await behest.as("alice", granted);
  await session.run(async () => {
    await agent().invoke(ask("go"), config);
    for (let i = 0; i < 3; i++)
      expect(await agent().invoke(new Command({ resume: "yes" }), config)).toHaveProperty("__interrupt__");
  });
  expect([paid, asked]).toEqual([[5], [1, 1, 1]]);
});
