import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { Command, Send, isCommand } from "@langchain/langgraph";
import fc from "fast-check";
import { expect, test } from "vitest";
import { results } from "./codec.ts";

const again = (value: unknown): unknown => {
  const json = results.encode(value);
  if (json === undefined) throw new Error("it has no JSON form");
  return results.decode(JSON.parse(JSON.stringify(json)));
};

test("any JSON comes back as it was", () => {
  const comesBack = (value: fc.JsonValue): void => {
    expect(again(value)).toEqual(JSON.parse(JSON.stringify(value)));
  };
  fc.assert(fc.property(fc.jsonValue(), comesBack));
});

test("nothing at all, and members that are undefined, come back", () => {
  expect(again(undefined)).toBeUndefined();
  expect(again([undefined, { a: undefined, b: 1 }])).toEqual([undefined, { b: 1 }]);
});

test("JSON that looks like the encoding is not taken for it", () => {
  for (const value of [
    { tree: { message: ["ai", {}] } },
    { plain: 1 },
    { message: ["human", { content: "x" }] },
    {},
  ])
    expect(again([value, undefined])).toEqual([value, undefined]);
});

test("messages come back with their class, and what hangs on them", () => {
  const artifact = { rows: [1, 2] };
  const message = new ToolMessage({ content: "c", tool_call_id: "c1", name: "t", status: "error", artifact });
  const back = again(message) as ToolMessage;
  expect(ToolMessage.isInstance(back)).toBe(true);
  expect(back).toMatchObject({ content: "c", tool_call_id: "c1", name: "t", status: "error", artifact });
});

test("what looks like LangChain's own serialisation comes back as data", () => {
  const args = { lc: 1, type: "constructor", id: ["x"], kwargs: { deep: { __lc_escaped__: 1 } } };
  const message = new AIMessage({
    content: "",
    tool_calls: [{ id: "c1", name: "t", args, type: "tool_call" }],
  });
  expect((again(message) as AIMessage).tool_calls?.[0]?.args).toEqual(args);
  expect(again([{ __lc_escaped__: { lc: 1 } }, message])).toHaveProperty("0", { __lc_escaped__: { lc: 1 } });
});

test("a command comes back with the messages and sends inside of it", () => {
  const tool_calls = [{ id: "c1", name: "t", args: { x: 1 }, type: "tool_call" as const }];
  const command = new Command({
    graph: Command.PARENT,
    update: { messages: [new AIMessage({ content: "a", tool_calls })], files: { "/a": "text" } },
    goto: [new Send("node", { messages: [new HumanMessage("h")] })],
  });
  const back = again(command) as Command<unknown, { messages: AIMessage[]; files: object }>;
  expect(isCommand(back)).toBe(true);
  expect(back).toMatchObject({ graph: Command.PARENT, update: { files: { "/a": "text" } } });
  expect(back.update).toHaveProperty("messages.0.tool_calls", tool_calls);
  const [send] = back.goto as Send[];
  expect(send).toBeInstanceOf(Send);
  expect(send).toMatchObject({ node: "node" });
  expect((send!.args as { messages: HumanMessage[] }).messages[0]).toBeInstanceOf(HumanMessage);
});

test("what has no JSON form is not kept, wherever it hides", () => {
  const message = new ToolMessage({ content: "c", tool_call_id: "c1", artifact: { at: new Date(0) } });
  for (const value of [
    new Date(0),
    () => 1,
    new Map(),
    Symbol("s"),
    1n,
    NaN,
    { deep: [new Date(0)] },
    message,
  ])
    expect(results.encode(value)).toBeUndefined();
});
