import { type AatTools, grants, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { StructuredTool } from "@langchain/core/tools";
import { Command, isCommand } from "@langchain/langgraph";
import { ToolMessage, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { guardTools } from "./index.ts";

const any: AatTools[string] = { "*": is.any.constraint };
const call = (name: string, args: Record<string, unknown>) => ({
  name,
  args,
  id: "c1",
  type: "tool_call" as const,
});

test('a text tool\'s argument is called "input"', async () => {
  await using behest = await testBehest();
  const seen: unknown[] = [];
  const search = tool(async (query) => (seen.push(query), `about ${query}`), {
    name: "search",
    description: "d",
    schema: z.string(),
  });
  const [guarded] = guardTools([search]);
  const session = await behest.as("alice", {
    search: { input: { ...is.oneOf("cats").constraint, optional: true } },
  });
  await session.run(async () => {
    expect(await guarded.invoke("cats")).toBe("about cats");
    await expect(guarded.invoke("dogs")).rejects.toThrow(/argument "input"/);
    expect(await guarded.invoke({})).toBe("about undefined");
  });
  expect(seen).toEqual(["cats", undefined]);
});

test("a JSON-schema tool gets a frozen copy; the model's own message is not frozen", async () => {
  await using behest = await testBehest();
  let seen: unknown;
  const schema = {
    type: "object",
    properties: { ids: { type: "array", items: { type: "number" } } },
    required: ["ids"],
  } as const;
  const pick = tool(async (args: unknown) => ((seen = args), "ok"), {
    name: "pick",
    description: "d",
    schema,
  });
  const [guarded] = guardTools([pick]);
  const message = call("pick", { ids: [1, 2] });
  const session = await behest.as("alice", { pick: any });
  await session.run(() => guarded.invoke(message));
  expect(seen).toEqual({ ids: [1, 2] });
  expect(seen).not.toBe(message.args);
  expect(Object.isFrozen((seen as { ids: number[] }).ids)).toBe(true);
  expect(Object.isFrozen(message.args)).toBe(false);
});

test("content with an artifact, and a denial of such a tool, have LangChain's form", async () => {
  await using behest = await testBehest();
  const chart = tool(async ({ n }) => [`chart ${n}`, { points: [n] }], {
    name: "chart",
    description: "d",
    schema: z.object({ n: z.number() }),
    responseFormat: "content_and_artifact",
  });
  const [guarded] = guardTools([chart]);
  const session = await behest.as("alice", grants([chart], { chart: { n: is.atMost(3) } }));
  const [fine, denied] = await session.run(() =>
    Promise.all([
      guarded.invoke(call("chart", { n: 1 })),
      guarded.invoke({ ...call("chart", { n: 9 }), id: "c2" }),
    ]),
  );
  expect(fine).toMatchObject({ content: "chart 1", artifact: { points: [1] }, status: "success" });
  expect(denied).toMatchObject({
    status: "error",
    tool_call_id: "c2",
    content: expect.stringMatching(/^BehestDenied: chart/),
  });
});

test("commands and tool messages pass through as they are", async () => {
  await using behest = await testBehest();
  const schema = z.object({});
  const update = { messages: [new ToolMessage({ content: "moved", tool_call_id: "c1" })] };
  const move = tool(async () => new Command({ update }), { name: "move", description: "d", schema });
  const own = tool(async () => new ToolMessage({ content: "own", tool_call_id: "c1" }), {
    name: "own",
    description: "d",
    schema,
  });
  const [guardedMove, guardedOwn] = guardTools([move, own]);
  const session = await behest.as("alice", { move: any, own: any });
  await session.run(async () => {
    const command: unknown = await guardedMove.invoke(call("move", {}));
    expect(isCommand(command) && command.update).toBe(update);
    expect(await guardedOwn.invoke({ ...call("own", {}), id: "c2" })).toMatchObject({ content: "own" });
  });
});

test("a subclass with private fields runs on its own instance", async () => {
  await using behest = await testBehest();
  class Counter extends StructuredTool {
    name = "count";
    description = "d";
    schema = z.object({ by: z.number() });
    #total = 0;
    async _call({ by }: { by: number }) {
      return `${(this.#total += by)}`;
    }
  }
  const [guarded] = guardTools([new Counter()]);
  const session = await behest.as("alice", { count: any });
  await session.run(async () => {
    expect(await guarded.invoke({ by: 2 })).toBe("2");
    expect(await guarded.invoke({ by: 3 })).toBe("5");
  });
});
