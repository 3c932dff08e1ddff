import { ToolLoopAgent, isStepCount, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { currentSession } from "@behest/core";
import { testBehest } from "@behest/core/testing";
import { fake } from "../test/fake.ts";
import { guard } from "./index.ts";

const stopWhen = isStepCount(5);

function whoTool(saw: string[]) {
  return tool({
    inputSchema: z.object({}),
    execute: async () => {
      saw.push(currentSession().principal);
      return currentSession().principal;
    },
  });
}

test("a stream belongs to the session it was opened in, through all its steps, whoever consumes it", async () => {
  await using behest = await testBehest();
  const [alice, bob] = [await behest.as("alice", { who: {} }), await behest.as("bob", { who: {} })];
  const saw: string[] = [];
  const model = fake([["who", {}]], [["who", {}]], [["who", {}]], "done");
  const tools = { who: whoTool(saw) };
  const agent = new ToolLoopAgent(guard({ model, tools }));
  const opened = [
    alice.run(() => streamText(guard({ model, tools, prompt: "x", stopWhen }))),
    await alice.run(() => agent.stream({ prompt: "x" })),
    streamText(guard({ model, tools, prompt: "x", stopWhen }, alice)),
  ];
  await new Promise((resolve) => setImmediate(resolve));
  await bob.run(async () => {
    for (const result of opened) for await (const _ of result.stream);
  });
  expect(saw).toEqual(Array(9).fill("alice"));
  expect(new Set((await behest.records.list()).map(({ principal }) => principal))).toEqual(
    new Set(["alice"]),
  );
});

test("two tenants' streams that are pulled in turns do not mix", async () => {
  await using behest = await testBehest();
  const saw: string[] = [];
  const tools = { who: whoTool(saw) };
  const model = fake([["who", {}, "0"]], [["who", {}, "0"]], "done");
  const agent = new ToolLoopAgent(guard({ model, tools }));
  const readers = await Promise.all(
    ["alice", "bob"].map(async (name) => {
      const session = await behest.as(name, { who: {} });
      return (await session.run(() => agent.stream({ prompt: "x" }))).stream[Symbol.asyncIterator]();
    }),
  );
  const results: string[][] = [[], []];
  let open = 2;
  while (open > 0) {
    open = 0;
    for (const [n, reader] of readers.entries()) {
      const { done, value } = await reader.next();
      if (!done) open++;
      if (value?.type === "tool-result") results[n]!.push(String(value.output));
    }
  }
  expect(results).toEqual([
    ["alice", "alice"],
    ["bob", "bob"],
  ]);
});
