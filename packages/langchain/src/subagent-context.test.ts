import { type AatTools, grants, is } from "@behest/delegation";
import { currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { AIMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, scripted, told } from "../test/support.ts";
import { behestMiddleware, subagentTool } from "./index.ts";

const readFile = tool(async ({ path }) => `${currentSession().agent} read ${path}`, {
  name: "read_file",
  description: "Reads a file",
  schema: z.object({ path: z.string() }),
});
const under = (folder: string): AatTools => grants([readFile], { read_file: { path: is.under(folder) } });
const reading = (...paths: string[]) =>
  calling(...paths.map((path) => ({ name: "read_file", args: { path } })));

test("parallel sub-agents with the same prompt are each asked, each under its own session", async () => {
  await using behest = await testBehest();
  const model = deciding((messages) =>
    messages.some(({ type }) => type === "tool") ? new AIMessage(messages.at(-1)!.text) : reading("/data/x"),
  );
  const reader = createAgent({ model, tools: [readFile], middleware: behestMiddleware() });
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({ who: z.string() }),
    delegate: ({ who }) => ({ agent: who, tools: under("/data") }),
    run: async () => (await reader.invoke(ask("read"))).messages.at(-1)!.text,
  });
  const parent = scripted(
    calling(...["a", "b", "c"].map((who) => ({ name: "spawn", args: { who } }))),
    new AIMessage("done"),
  );
  const agent = createAgent({ model: parent, tools: [spawn], middleware: behestMiddleware() });
  const session = await behest.as("alice", under("/data"), { run: "thread-1" });
  const { messages } = await session.run(() => agent.invoke(ask("go")));
  expect(told(messages)).toEqual(["a", "b", "c"].map((who) => `success: ${who} read /data/x`));
  expect(model.callCount).toBe(6);
});

test("what runs inside inherits LangChain's own context", async () => {
  await using behest = await testBehest();
  const seen: unknown[] = [];
  const inner = tool(async (_, config) => (seen.push(config.tags, config.configurable?.thread_id), "ok"), {
    name: "read_file",
    description: "d",
    schema: z.object({ path: z.string() }),
  });
  const reader = createAgent({
    model: scripted(reading("/data/x"), new AIMessage("read")),
    tools: [inner],
    middleware: behestMiddleware(),
  });
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: under("/data") },
    run: async () => (await reader.invoke(ask("read"))).messages.at(-1)!.text,
  });
  const agent = createAgent({
    model: scripted(calling({ name: "spawn", args: {} }), new AIMessage("done")),
    tools: [spawn],
    middleware: behestMiddleware(),
  });
  const session = await behest.as("alice", under("/data"));
  await session.run(() => agent.invoke(ask("go"), { tags: ["mine"], configurable: { thread_id: "t" } }));
  expect(seen).toEqual([expect.arrayContaining(["mine"]), "t"]);
});

test("ending the parent stops a sub-agent in mid-flight", async () => {
  await using behest = await testBehest();
  const stop = new AbortController();
  let reason: unknown;
  const wait = tool(
    (_: { path: string }, config) =>
      new Promise<string>((_resolve, reject) => {
        config.signal!.addEventListener("abort", () => reject((reason = config.signal!.reason)));
        stop.abort(new Error("enough"));
      }),
    { name: "read_file", description: "d", schema: z.object({ path: z.string() }) },
  );
  const reader = createAgent({
    model: deciding(() => reading("/data/x")),
    tools: [wait],
    middleware: behestMiddleware(),
  });
  const spawn = subagentTool({
    name: "spawn",
    description: "d",
    schema: z.object({}),
    delegate: { tools: under("/data") },
    run: async () => (await reader.invoke(ask("read"))).messages.at(-1)!.text,
  });
  const agent = createAgent({
    model: deciding(() => calling({ name: "spawn", args: {} })),
    tools: [spawn],
    middleware: behestMiddleware(),
  });
  const session = await behest.as("alice", under("/data"), { signal: stop.signal });
  await expect(session.run(() => agent.invoke(ask("go")))).rejects.toThrow("enough");
  expect(reason).toMatchObject({ message: "enough" });
});
