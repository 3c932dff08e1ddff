import { withProfile } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { Command, MemorySaver, MessagesAnnotation, StateGraph, interrupt } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { AIMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, told } from "../test/support.ts";
import { behestMiddleware, guardTools } from "./index.ts";
import { both, bothThenDone, config, granted, paying, results } from "../test/paying.ts";

test.for(["v1", "v2"] as const)(
  "a completed sibling of a paused call does nothing again on resume: %s",
  async (version) => {
    await using behest = await testBehest();
    const { paid, pay, askPerson, pauses } = paying();
    const model = deciding(bothThenDone);
    const middleware = behestMiddleware([pauses]);
    const agent = createAgent({
      model,
      tools: [pay, askPerson],
      version,
      checkpointer: new MemorySaver(),
      middleware,
    });
    const session = await behest.as("alice", granted);

    const paused = await session.run(() => agent.invoke(ask("go"), config));
    expect(paused).toHaveProperty("__interrupt__");
    const { messages } = await session.run(() => agent.invoke(new Command({ resume: "yes" }), config));

    expect(told(messages)).toEqual(["success: paid 1", "success: asked"]);
    expect(paid).toEqual([5]);
    expect(model.callCount).toBe(2);
    expect((await behest.records.list()).map(({ tool: name, outcome }) => `${name} ${outcome}`)).toEqual([
      "pay done",
      "ask_person done",
    ]);
  },
);

test("nor does one in a ToolNode, where all calls of a turn run again", async () => {
  await using behest = await testBehest();
  const { paid, pay } = paying();
  const schema = z.object({});
  const askPerson = tool(async () => "asked", { name: "ask_person", description: "d", schema });
  const tools = new ToolNode(guardTools([pay, askPerson]));
  let turn: AIMessage | undefined;
  const graph = new StateGraph(MessagesAnnotation)
    .addNode("model", () => ({
      messages: [(turn ??= new AIMessage({ id: "turn-1", content: "", tool_calls: both().tool_calls! }))],
    }))
    .addNode("tools", async (state, options) => {
      const answered = await tools.invoke(state, options);
      if (interrupt("fine?") !== "yes") throw new Error("not fine");
      return answered as typeof state;
    })
    .addEdge("__start__", "model")
    .addEdge("model", "tools")
    .compile({ checkpointer: new MemorySaver() });
  const session = await behest.as("alice", granted);
  await session.run(() => graph.invoke(ask("go"), config));
  const { messages } = await session.run(() => graph.invoke(new Command({ resume: "yes" }), config));
  expect(told(messages)).toEqual(["success: paid 1", "success: asked"]);
  expect(paid).toEqual([5]);
});

test("the same call id in a later turn is another action", async () => {
  await using behest = await testBehest();
  const { paid, pay } = paying();
  const model = deciding((messages) =>
    results(messages) < 2
      ? calling({ name: "pay", args: { amount: results(messages) }, id: "0" })
      : new AIMessage("done"),
  );
  const agent = createAgent({ model, tools: [pay], middleware: behestMiddleware() });
  const session = await behest.as("alice", granted);
  await session.run(() => agent.invoke(ask("go")));
  expect(paid).toEqual([0, 1]);
});

test("results that are no plain JSON come back on a rerun too", async () => {
  await using behest = await testBehest();
  const { askPerson, pauses } = paying();
  let moves = 0;
  const move = tool(
    async (_, { toolCall }) => {
      moves++;
      return new Command({
        update: { messages: [{ role: "tool", content: "moved", tool_call_id: toolCall!.id!, name: "pay" }] },
      });
    },
    { name: "pay", description: "d", schema: z.looseObject({}) },
  );
  const agent = createAgent({
    model: deciding(bothThenDone),
    tools: [move, askPerson],
    version: "v1",
    checkpointer: new MemorySaver(),
    middleware: behestMiddleware([pauses]),
  });
  const session = await behest.as("alice", granted);
  await session.run(() => agent.invoke(ask("go"), config));
  const { messages } = await session.run(() => agent.invoke(new Command({ resume: "yes" }), config));
  expect(
    messages
      .filter(({ type }) => type === "tool")
      .map(({ text }) => text)
      .toSorted(),
  ).toEqual(["asked", "moved"]);
  expect(moves).toBe(1);
});

test.for([
  ["a read", "read", "success: read after yes"],
  ["anything else", "irreversible", "error: BehestDenied: pay: this very call ran before and failed"],
] as const)(
  "a body that pauses itself has started: resumed, it runs again only as %s",
  async ([, effect, result]) => {
    await using behest = await testBehest({ policy: "grants-alone" });
    const asks = tool(async () => `read after ${interrupt("may I?")}`, {
      name: "pay",
      description: "d",
      schema: z.object({}),
    });
    const model = deciding((messages) =>
      results(messages) > 0 ? new AIMessage("done") : calling({ name: "pay", args: {} }),
    );
    const tools = [withProfile(asks, { effect, boundary: "inside" })];
    const agent = createAgent({
      model,
      tools,
      checkpointer: new MemorySaver(),
      middleware: behestMiddleware(),
    });
    const session = await behest.as("alice", granted);
    expect(await session.run(() => agent.invoke(ask("go"), config))).toHaveProperty("__interrupt__");
    const { messages } = await session.run(() => agent.invoke(new Command({ resume: "yes" }), config));
    expect(told(messages)[0]).toContain(result);
  },
);
