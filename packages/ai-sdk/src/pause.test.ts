import {
  type Tool,
  type UIMessage,
  ToolLoopAgent,
  convertToModelMessages,
  experimental_toolCaller,
  generateText,
  isStepCount,
  readUIMessageStream,
  streamText,
  toUIMessageStream,
  tool,
} from "ai";
import { MockLanguageModelV4, simulateReadableStream } from "ai/test";
import { expect, test } from "vitest";
import { z } from "zod";
import { testBehest } from "@behest/core/testing";
import { answer, asked, fake, seen, toolbox } from "../test/fake.ts";
import { asking, decide, payAndRead } from "../test/waiting.ts";
import { partsOf } from "./answer.ts";
import { guard, pendingApprovals, resume, subagentTool } from "./index.ts";

const stopWhen = isStepCount(5);
const wild = { constraint_type: "wildcard" };

/** A code mode whose program is one call. */
function codeMode() {
  const program = z.object({ name: z.string(), input: z.unknown() });
  return experimental_toolCaller(tool({ inputSchema: program, execute: (): unknown => "unbound" }), {
    type: "local",
    bind: (bound) =>
      tool({
        inputSchema: program,
        execute: async ({ name, input }, about) => bound[name]!.execute!(input, about),
      }) as Tool,
  });
}

test("inside code mode nothing can wait: what would be asked is denied, and nobody is asked", async () => {
  const { behest, open } = await asking({ ...payAndRead, code: { name: wild, input: wild } });
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }]], "not paid");
  const child = subagentTool({
    description: "d",
    inputSchema: z.object({}),
    delegate: { tools: payAndRead },
    run: async () => (await new ToolLoopAgent(guard({ model: inner, tools })).generate({ prompt: "x" })).text,
  });
  const model = fake(
    [
      ["code", { name: "pay", input: { amount: 5, currency: "EUR" } }],
      ["code", { name: "child", input: {} }],
    ],
    "done",
  );
  const result = await generateText(
    guard(
      {
        model,
        tools: { ...tools, child, code: codeMode() },
        prompt: "x",
        stopWhen,
        experimental_toolCallers: { pay: ["code"], child: ["code"] },
      },
      await open(),
    ),
  );
  expect(result.text).toBe("done");
  const denied = expect.stringContaining("It cannot wait here");
  expect(seen(model)).toEqual([denied, "not paid"]);
  expect(seen(inner)).toEqual([denied]);
  expect(pendingApprovals(result)).toEqual([]);
  expect(await behest.approvals.list()).toEqual([]);
  expect(did).toEqual([]);
  const records = await behest.records.list({ tool: "pay" });
  expect(records.map(({ verdict, code }) => `${verdict} ${code}`)).toEqual(
    Array(2).fill("deny approval_needed"),
  );
  await behest.close();
});

test("an agent inside an ordinary tool's body cannot be left and entered again: it is denied there", async () => {
  const { behest, open } = await asking({ ...payAndRead, assistant: {} });
  const { tools, did } = toolbox();
  const inner = fake([["pay", { amount: 1 }, "0"]], "not paid");
  const agent = new ToolLoopAgent(guard({ model: inner, tools }));
  const assistant = tool({
    inputSchema: z.object({}),
    execute: async () => (await agent.generate({ prompt: "pay" })).text,
  });
  const model = fake([["assistant", {}, "0"]], "done");
  await generateText(guard({ model, tools: { assistant }, prompt: "x", stopWhen }, await open()));
  expect(seen(model)).toEqual(["not paid"]);
  expect(seen(inner)).toEqual([expect.stringContaining("It cannot wait here")]);
  expect(await behest.approvals.list()).toEqual([]);
  expect(did).toEqual([]);
  await behest.close();
});

test("UI messages: the client's answer is no decision, and the run goes on when there is one", async () => {
  const { behest, open } = await asking();
  const { tools, did } = toolbox();
  const model = fake([["pay", { amount: 5 }]], "done");
  const go = async (kept: UIMessage[]): Promise<UIMessage[]> => {
    // The SDK writes on into the message that it is given.
    const history = structuredClone(kept);
    const session = await open();
    const messages = await convertToModelMessages(history, { tools });
    const result = streamText(guard({ model, tools, messages, stopWhen }, session));
    const before = history.at(-1)!;
    const isSame = before.role === "assistant";
    let last: UIMessage | undefined;
    for await (const message of readUIMessageStream({
      stream: toUIMessageStream({ stream: result.stream, tools, originalMessages: history }),
      ...(isSame && { message: before }),
    }))
      last = message;
    const told = isSame ? [...history.slice(0, -1), last!] : [...history, last!];
    return JSON.parse(JSON.stringify(told)) as UIMessage[];
  };
  const user: UIMessage = { id: "1", role: "user", parts: [{ type: "text", text: "x" }] };
  const paused = await go([user]);
  const [approval] = await behest.approvals.list();
  const asks = pendingApprovals(paused);
  expect(asks).toEqual([{ approval: approval!.id, tool: "pay", resumeId: expect.any(String) }]);
  // What a browser makes of its user's click.
  const clicked = JSON.parse(JSON.stringify(paused)) as UIMessage[];
  for (const part of clicked.at(-1)!.parts)
    if ("state" in part && part.state === "approval-requested")
      Object.assign(part, { state: "approval-responded", approval: { ...part.approval, approved: true } });
  const early = await go(clicked);
  expect(did).toEqual([]);
  expect(asked(model)).toBe(1);
  await decide(behest);
  const after = await go(clicked);
  expect(did).toEqual(["pay 5 EUR"]);
  expect(after.at(-1)!.parts.at(-1)).toMatchObject({ type: "text", text: "done" });
  // Or from what the browser had kept of the first, early answer: the result of then is in the way of the SDK's own.
  expect((await go(early)).at(-1)!.parts.at(-1)).toMatchObject({ type: "text", text: "done" });
  expect(seen(model)).toEqual(["paid 5"]);
  // Or without a click: the messages, and what they wait for.
  const messages = [...(await convertToModelMessages(paused, { tools })), ...resume(asks)];
  const { text } = await generateText(guard({ model, tools, messages, stopWhen }, await open()));
  expect(text).toBe("done");
  expect(did).toEqual(["pay 5 EUR"]);
  await behest.close();
});

test("a stream that says more after a call keeps its order, and asks only when its turn stands", async () => {
  const { behest, open } = await asking();
  const { tools, did } = toolbox();
  const calls = answer([
    ["read_file", { path: "a" }, "r"],
    ["pay", { amount: 5 }, "p"],
    ["pay", { amount: 6 }, "q"],
  ]);
  const content = [
    { type: "text", text: "first" },
    ...calls.content,
    { type: "text", text: "last" },
  ] as const;
  const whole = partsOf({ ...calls, content: [...content] });
  const stream = (chunks: typeof whole): MockLanguageModelV4 =>
    new MockLanguageModelV4({
      doStream: async () => ({
        stream: simulateReadableStream({ chunks, chunkDelayInMs: null, initialDelayInMs: null }),
      }),
    });
  const order = async (chunks: typeof whole): Promise<string[]> => {
    const settings = { model: stream(chunks), tools, prompt: "x", stopWhen, onError: () => {} };
    const result = streamText(guard(settings, await open()));
    const types: string[] = [];
    for await (const part of result.stream)
      if (["text-delta", "tool-call", "tool-approval-request"].includes(part.type)) types.push(part.type);
    return types;
  };
  // Breaks off before it has ended: no turn, nothing to approve.
  await order(whole.slice(0, -1));
  expect(await behest.approvals.list()).toEqual([]);
  const types = await order(whole);
  expect(types.filter((type) => type !== "tool-approval-request")).toEqual([
    "text-delta",
    "tool-call",
    "tool-call",
    "tool-call",
    "text-delta",
  ]);
  expect(await behest.approvals.list()).toHaveLength(2);
  const records = await behest.records.list({ verdict: "ask" });
  for (const { index } of records)
    expect((await behest.records.get(index))!.entries.interaction).toBeDefined();
  expect(did).toEqual(["read a"]);
  await behest.close();
});

test("where nobody has to approve, nothing of what the SDK answers and keeps is changed", async () => {
  await using behest = await testBehest();
  const session = await behest.as("alice", payAndRead);
  const { tools } = toolbox();
  const model = fake([["pay", { amount: 5 }, "c0"]], "done");
  const plain = await generateText({ model, tools, prompt: "x", stopWhen });
  const guarded = await generateText(guard({ model, tools, prompt: "x", stopWhen }, session));
  expect(guarded.responseMessages).toEqual(plain.responseMessages);
  expect(guarded.content).toEqual(plain.content);
  expect(pendingApprovals(guarded)).toEqual([]);
  expect(asked(model)).toBe(4);
});

test("what is no result is not taken for one that waits for nothing", async () => {
  await using behest = await testBehest();
  const model = fake("done");
  const result = streamText(guard({ model, prompt: "x" }, await behest.as("alice", {})));
  expect(() => pendingApprovals(result)).toThrow(TypeError);
  expect(() => pendingApprovals({})).toThrow(TypeError);
  expect(pendingApprovals({ steps: await result.steps })).toEqual([]);
  expect(resume([])).toEqual([]);
});
