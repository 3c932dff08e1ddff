import { is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { MemorySaver } from "@langchain/langgraph";
import { createDeepAgent } from "deepagents";
import { AIMessage, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, deciding, scripted, told } from "../test/support.ts";
import { guardDeepAgent } from "./index.ts";
import { any, delegating, isChild, lookUp, task, words } from "../test/delegating.ts";

test("deepagents' own tools are guarded, and shown only where granted", async () => {
  await using behest = await testBehest();
  const offered: string[][] = [];
  const model = scripted(
    calling(
      { name: "write_file", args: { file_path: "/notes/a.md", content: "a" } },
      { name: "write_file", args: { file_path: "/etc/b", content: "b" } },
      { name: "edit_file", args: { file_path: "/notes/a.md", old_string: "a", new_string: "c" } },
    ),
    new AIMessage("done"),
  );
  const bind = model.bindTools.bind(model);
  model.bindTools = (tools) => (offered.push(tools.map(({ name }) => name as string)), bind(tools));
  const agent = createDeepAgent(guardDeepAgent({ model, tools: [lookUp] }));
  const notes = { write_file: { file_path: is.under("/notes").constraint, content: is.any.constraint } };
  const session = await behest.as("alice", { ...notes, ...words("cat") });

  const { messages, files } = await session.run(() => agent.invoke(ask("write")));

  expect(told(messages).map((line) => line.slice(0, 40))).toEqual([
    expect.stringMatching(/^success/),
    "error: BehestDenied: write_file: argumen",
    "error: BehestDenied: edit_file: this too",
  ]);
  expect(Object.keys(files ?? {})).toEqual(["/notes/a.md"]);
  expect(offered[0]?.toSorted()).toEqual(["look_up", "task", "write_file"]);
});

test.for(["general-purpose", "reader"])(
  "the tools of the sub-agent %s are decided on under the parent's session",
  async (type) => {
    await using behest = await testBehest();
    const model = delegating(
      type,
      { name: "look_up", args: { word: "cat" } },
      { name: "look_up", args: { word: "dog" } },
      { name: "write_file", args: { file_path: "/x", content: "x" } },
    );
    const reader = { name: "reader", description: "Reads", systemPrompt: "Read.", tools: [lookUp] };
    const agent = createDeepAgent(guardDeepAgent({ model, tools: [lookUp], subagents: [reader] }));
    const session = await behest.as("alice", words("cat"), { agent: "root" });

    const { messages } = await session.run(() => agent.invoke(ask("go")));

    expect(told(messages)[0]?.split("\n")).toEqual([
      "success: success: root found cat",
      expect.stringMatching(/^error: BehestDenied: look_up: argument "word"/),
      expect.stringMatching(/^error: BehestDenied: write_file: this tool was not delegated/),
    ]);
    const records = await behest.records.list();
    expect(records.map(({ tool: name, verdict }) => `${name} ${verdict}`).toSorted()).toEqual([
      "look_up deny",
      "look_up permit",
      "write_file deny",
    ]);
  },
);

test("with only the main agent guarded, the tools of its sub-agents are stopped by the tripwire", async () => {
  await using behest = await testBehest();
  const model = delegating("general-purpose", {
    name: "write_file",
    args: { file_path: "/x", content: "x" },
  });
  const { middleware } = guardDeepAgent({ model, middleware: [] });
  const agent = createDeepAgent({ model, middleware });
  const session = await behest.as("alice", { write_file: any });

  const { messages, files } = await session.run(() => agent.invoke(ask("go")));

  expect(told(messages)[0]).toMatch(/^error: BehestDenied: write_file: this tool is not guarded here/);
  expect(files ?? {}).toEqual({});
  expect(await behest.records.list()).toMatchObject([{ tool: "write_file", code: "tool_unguarded" }]);
});

test("a sub-agent with `delegate` runs under what is derived for its task, and a wider one is refused", async () => {
  await using behest = await testBehest();
  const answers: string[] = [];
  for (const word of ["cat", "fish"]) {
    const model = delegating(
      "reader",
      { name: "look_up", args: { word: "cat" } },
      { name: "look_up", args: { word: "dog" } },
    );
    const reader = {
      name: "reader",
      description: "Reads",
      systemPrompt: "Read.",
      tools: [lookUp],
      delegate: ({ description }: { description: string }) => ({
        agent: `reads to ${description}`,
        tools: words(word),
      }),
    };
    const agent = createDeepAgent(guardDeepAgent({ model, tools: [lookUp], subagents: [reader] }));
    const session = await behest.as("alice", words("cat", "dog"));
    answers.push(told((await session.run(() => agent.invoke(ask("go")))).messages)[0]!);
  }
  expect(answers[0]?.split("\n")).toEqual([
    "success: success: reads to do it found cat",
    expect.stringMatching(/^error: BehestDenied: look_up: argument "word"/),
  ]);
  expect(answers[1]).toMatch(/^error: BehestDenied: .*look_up/);
  expect((await behest.records.list({ verdict: "deny" })).map(({ code }) => code)).toEqual([
    "argument_not_granted",
    "wider_than_parent",
  ]);
});

test("parallel sub-agents with the same task are each asked and each do their work", async () => {
  await using behest = await testBehest();
  let found = 0;
  const count = tool(async () => `${++found}`, { name: "count", description: "d", schema: z.object({}) });
  const model = deciding((messages) => {
    const results = messages.filter(({ type }) => type === "tool").length;
    if (isChild(messages))
      return results > 0 ? new AIMessage("counted") : calling({ name: "count", args: {} });
    return results > 0
      ? new AIMessage("done")
      : calling(task("general-purpose"), task("general-purpose"), task("general-purpose"));
  });
  const agent = createDeepAgent(guardDeepAgent({ model, tools: [count], checkpointer: new MemorySaver() }));
  const session = await behest.as("alice", { count: any });
  const { messages } = await session.run(() => agent.invoke(ask("go"), { configurable: { thread_id: "t" } }));
  expect(told(messages)).toEqual(Array.from({ length: 3 }, () => "success: counted"));
  expect(found).toBe(3);
});
