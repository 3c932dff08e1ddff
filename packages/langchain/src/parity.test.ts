import { grants } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { AIMessage, createAgent, createMiddleware, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { type WantedCall, ask, calling, scripted, told } from "../test/support.ts";
import { behestMiddleware, guardTools } from "./index.ts";

const through = createMiddleware({ name: "through", wrapToolCall: (request, handler) => handler(request) });
const broken = tool(
  async ({ how }: { how: "error" | "text" | "type" }) => {
    if (how === "text") throw "plain text";
    throw how === "type" ? new TypeError("wrong type") : new Error("disk full");
  },
  { name: "broken", description: "d", schema: z.object({ how: z.enum(["error", "text", "type"]) }) },
);
const cases: [string, WantedCall][] = [
  ["an error", { name: "broken", args: { how: "error" } }],
  ["a subclass of Error", { name: "broken", args: { how: "type" } }],
  ["what is no Error", { name: "broken", args: { how: "text" } }],
  ["arguments that do not parse", { name: "broken", args: { how: 3 } }],
  ["a tool that is granted and does not exist", { name: "missing", args: {} }],
];
const granted = { ...grants([broken], { broken: true }), missing: { "*": { constraint_type: "wildcard" } } };

test.for(cases)("the model is told of %s as by plain LangChain", async ([, wanted]) => {
  await using behest = await testBehest();
  const session = await behest.as("alice", granted);
  const model = () => scripted(calling({ ...wanted, id: "c1" }), new AIMessage("done"));
  const plain = createAgent({ model: model(), tools: [broken] });
  const agent = createAgent({ model: model(), tools: [broken], middleware: behestMiddleware() });

  const expected = told((await plain.invoke(ask("go"))).messages);
  const messages = told((await session.run(() => agent.invoke(ask("go")))).messages);

  // A parsing error tells its stack: its frames differ, as there is a middleware.
  const withoutFrames = (text: string) => text.replaceAll(/\n\s+at .*/g, "");
  expect(messages.map(withoutFrames)).toEqual(expected.map(withoutFrames));
  expect(messages).toHaveLength(1);
});

test.for(cases)(
  "with another middleware around tool calls, %s ends or continues the run as in plain LangChain",
  async ([, wanted]) => {
    await using behest = await testBehest();
    const session = await behest.as("alice", granted);
    const model = () => scripted(calling({ ...wanted, id: "c1" }), new AIMessage("done"));
    const plain = createAgent({ model: model(), tools: [broken], middleware: [through] });
    const agent = createAgent({ model: model(), tools: [broken], middleware: behestMiddleware([through]) });
    const outcome = async (run: Promise<{ messages: AIMessage[] }>) => {
      try {
        return told((await run).messages).map((text) => text.replaceAll(/\n\s+at .*/g, ""));
      } catch (error) {
        return `${error}`;
      }
    };

    const expected = await outcome(plain.invoke(ask("go")) as never);
    expect(await outcome(session.run(() => agent.invoke(ask("go"))) as never)).toEqual(expected);
  },
);

test.for(cases.slice(0, 4))("ToolNode tells %s as with unguarded tools", async ([, wanted]) => {
  await using behest = await testBehest();
  const session = await behest.as("alice", granted);
  const state = { messages: [calling({ ...wanted, id: "c1" })] };

  const expected = await new ToolNode([broken]).invoke(state);
  const { messages } = await session.run(() => new ToolNode(guardTools([broken])).invoke(state));

  expect(told(messages)).toEqual(told(expected.messages));
});

test("a run that its caller aborts rejects with the caller's reason, as in plain LangChain", async () => {
  await using behest = await testBehest();
  const reasons: string[] = [];
  for (const guarded of [false, true]) {
    const stop = new AbortController();
    const slow = tool(
      async () => {
        stop.abort(new Error("changed my mind"));
        await new Promise((resolve) => setTimeout(resolve, 20));
        return "late";
      },
      { name: "slow", description: "d", schema: z.object({}) },
    );
    const model = scripted(calling({ name: "slow", args: {} }), new AIMessage("done"));
    const session = await behest.as("alice", grants([slow], { slow: true }));
    const agent = createAgent({ model, tools: [slow], middleware: guarded ? behestMiddleware() : [] });
    const run = () => agent.invoke(ask("go"), { signal: stop.signal });
    await (guarded ? session.run(run) : run()).catch((error: unknown) => reasons.push(`${error}`));
    expect(model.callCount).toBe(1);
  }
  expect(reasons).toEqual(["Error: changed my mind", "Error: changed my mind"]);
});
