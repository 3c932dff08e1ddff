import { type AatTools, grants, is } from "@behest/delegation";
import { testBehest } from "@behest/core/testing";
import { RunnableLambda } from "@langchain/core/runnables";
import { DynamicStructuredTool, StructuredTool } from "@langchain/core/tools";
import { Command, isCommand } from "@langchain/langgraph";
import { ToolNode } from "@langchain/langgraph/prebuilt";
import { AIMessage, ToolMessage, createAgent, tool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { ask, calling, mailer, scripted, told } from "../test/support.ts";
import { behestMiddleware, guardTools } from "./index.ts";

const any: AatTools[string] = { "*": is.any.constraint };
const call = (name: string, args: Record<string, unknown>) => ({
  name,
  args,
  id: "c1",
  type: "tool_call" as const,
});

test("a guarded tool keeps its name, class, schema and place", () => {
  const { sendMail } = mailer();
  const [guarded, provider] = guardTools([sendMail, { type: "web_search" }]);
  expect(guarded).toBeInstanceOf(DynamicStructuredTool);
  expect(guarded).toBeInstanceOf(StructuredTool);
  expect([guarded.name, guarded.description, guarded.schema]).toEqual([
    sendMail.name,
    sendMail.description,
    sendMail.schema,
  ]);
  expect(provider).toEqual({ type: "web_search" });
  expect(guardTools([guarded])[0]).toBe(guarded);
});

test("invoked with bare arguments a denial is thrown; with a tool call it is an error message", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const [guarded] = guardTools([sendMail]);
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: is.email("@example.com"), "*": is.any } }),
  );
  await session.run(async () => {
    await expect(guarded.invoke({ to: "eve@evil.test" })).rejects.toMatchObject({
      name: "BehestDenied",
      code: "argument_not_granted",
    });
    const message = await guarded.invoke(call("send_mail", { to: "eve@evil.test" }));
    expect(message).toMatchObject({ status: "error", tool_call_id: "c1", name: "send_mail" });
    expect(await guarded.invoke({ to: "bob@example.com" })).toBe("sent (none)");
  });
  expect(sent).toHaveLength(1);
});

test("outside a session a guarded tool names itself and does not run", async () => {
  const { sendMail, sent } = mailer();
  const [guarded] = guardTools([sendMail]);
  const outside = guarded.invoke({ to: "bob@example.com" });
  await expect(outside).rejects.toMatchObject({ code: "no_session" });
  await expect(outside).rejects.toThrow(
    'no_session: "send_mail" was called outside a session. Wrap the call: session.run(',
  );
  expect(sent).toEqual([]);
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

test("a generator's whole body is the action, and its events are streamed", async () => {
  await using behest = await testBehest();
  let finished = false;
  const slow = tool(
    async function* ({ n }: { n: number }) {
      for (let i = 0; i < n; i++) yield { step: i };
      finished = true;
      return `did ${n}`;
    },
    { name: "slow", description: "d", schema: z.object({ n: z.number() }) },
  );
  const [guarded] = guardTools([slow]);
  const events: unknown[] = [];
  const callbacks = [{ handleToolEvent: (event: unknown) => void events.push(event) }];
  const session = await behest.as("alice", grants([slow], { slow: { n: is.atMost(3) } }));
  await session.run(async () => {
    expect(await guarded.invoke({ n: 2 }, { callbacks })).toBe("did 2");
    expect(finished).toBe(true);
    finished = false;
    await expect(guarded.invoke({ n: 9 })).rejects.toMatchObject({ code: "argument_not_granted" });
  });
  expect([finished, events]).toEqual([false, [{ step: 0 }, { step: 1 }]]);
  expect(await behest.records.list()).toMatchObject([{ outcome: "done" }, { verdict: "deny" }]);
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

test("parsed arguments that are not JSON are refused before the body", async () => {
  await using behest = await testBehest();
  let ran = false;
  const schema = z.object({ at: z.string().transform((text) => new Date(text)) });
  const book = tool(async () => ((ran = true), "ok"), { name: "book", description: "d", schema });
  const [guarded] = guardTools([book]);
  const session = await behest.as("alice", { book: any });
  await expect(session.run(() => guarded.invoke({ at: "2026-01-01" }))).rejects.toMatchObject({
    code: "args_not_json",
  });
  expect(ran).toBe(false);
});

test("what has no body of its own, or another way to it, cannot be guarded", async () => {
  await using behest = await testBehest();
  let ran = 0;
  const schema = z.object({});
  const runnable = RunnableLambda.from(async () => `${++ran}`).asTool({
    name: "runnable",
    description: "d",
    schema,
  });
  class Sly extends StructuredTool {
    name = "sly";
    description = "d";
    schema = schema;
    override async invoke() {
      return `${++ran}` as never;
    }
    async _call() {
      return "never";
    }
  }
  for (const bad of [runnable, new Sly()]) {
    expect(() => guardTools([bad])).toThrow(expect.objectContaining({ code: "tool_unsupported" }));
    // The same in an agent, where the tool is met only when it is called.
    const session = await behest.as("alice", { [bad.name]: any });
    const model = scripted(calling({ name: bad.name, args: {} }), new AIMessage("done"));
    const agent = createAgent({ model, tools: [bad], middleware: behestMiddleware() });
    const { messages } = await session.run(() => agent.invoke(ask("go")));
    expect(told(messages)).toEqual([expect.stringMatching(/^error: BehestDenied: .*no body/)]);
  }
  expect(ran).toBe(0);
  expect(await behest.records.list()).toMatchObject([
    { code: "tool_unsupported" },
    { code: "tool_unsupported" },
  ]);
});

test("in a ToolNode each call is decided on by itself", async () => {
  await using behest = await testBehest();
  const { sendMail, sent } = mailer();
  const session = await behest.as(
    "alice",
    grants([sendMail], { send_mail: { to: is.email("@example.com"), "*": is.any } }),
  );
  const node = new ToolNode(guardTools([sendMail]));
  const turn = calling(
    { name: "send_mail", args: { to: "eve@evil.test" } },
    { name: "send_mail", args: { to: "bob@example.com" } },
  );
  const { messages } = await session.run(() => node.invoke({ messages: [turn] }));
  expect(told(messages)).toEqual([expect.stringMatching(/^error: BehestDenied/), "success: sent (none)"]);
  expect(sent).toHaveLength(1);
});
