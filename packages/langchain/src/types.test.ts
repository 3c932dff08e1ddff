import type { DelegateRequest, Session } from "@behest/core";
import type { DynamicStructuredTool } from "@langchain/core/tools";
import { createDeepAgent } from "deepagents";
import { createAgent, createMiddleware, tool, toolRetryMiddleware } from "langchain";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { mailer, scripted } from "../test/support.ts";
import { behestMiddleware, guardDeepAgent, guardTools, subagentTool } from "./index.ts";

const { sendMail } = mailer();
const counter = createMiddleware({ name: "c", stateSchema: z.object({ count: z.number().default(0) }) });
const model = scripted();

test("an agent's state and structured answer keep their types", () => {
  const middleware = behestMiddleware([counter, toolRetryMiddleware()]);
  const agent = createAgent({
    model,
    tools: [sendMail],
    middleware,
    responseFormat: z.object({ a: z.number() }),
  });
  type State = Awaited<ReturnType<typeof agent.invoke>>;
  expectTypeOf<State["count"]>().toEqualTypeOf<number>();
  expectTypeOf<State["structuredResponse"]>().toEqualTypeOf<{ a: number }>();
  expectTypeOf<State>().not.toHaveProperty("nope");
  expectTypeOf<State>().not.toBeAny();
});

test("without other middleware the state is LangChain's own", () => {
  const guarded = createAgent({ model, tools: [sendMail], middleware: behestMiddleware() });
  const plain = createAgent({ model, tools: [sendMail] });
  type Messages<A extends { invoke: (...args: never[]) => Promise<unknown> }> = Awaited<
    ReturnType<A["invoke"]>
  >;
  expectTypeOf<keyof Messages<typeof guarded>>().toEqualTypeOf<keyof Messages<typeof plain>>();
});

test("guarded tools are the same tools", () => {
  const tools = guardTools([
    sendMail,
    tool(async ({ n }) => n, { name: "n", schema: z.object({ n: z.number() }) }),
  ]);
  expectTypeOf<(typeof tools)[number]>().toHaveProperty("invoke");
  expectTypeOf<Extract<(typeof tools)[number], { name: "n" }>>().not.toBeNever();
  // @ts-expect-error a single tool is not a list of tools
  void (() => guardTools(sendMail));
});

test("a sub-agent's tool knows its name and its arguments", () => {
  const read = subagentTool({
    name: "read",
    description: "d",
    schema: z.object({ folder: z.string(), depth: z.coerce.number() }),
    delegate: (input) => {
      expectTypeOf(input).toEqualTypeOf<{ folder: string; depth: number }>();
      return { tools: {} };
    },
    run: async (input, session) => {
      expectTypeOf(input).toEqualTypeOf<{ folder: string; depth: number }>();
      expectTypeOf(session).toEqualTypeOf<Session>();
      return "";
    },
  });
  expectTypeOf<typeof read>().toExtend<DynamicStructuredTool>();
  expectTypeOf(read.name).toEqualTypeOf<"read">();
  const fixed: DelegateRequest = { tools: {}, expiresIn: "5m" };
  const schema = z.object({});
  subagentTool({ name: "x", description: "d", schema, delegate: fixed, run: async () => "" });
  // @ts-expect-error it answers in text
  subagentTool({ name: "x", description: "d", schema, delegate: fixed, run: async () => 1 });
  // @ts-expect-error what it may do is not optional
  subagentTool({ name: "x", description: "d", schema, run: async () => "" });
});

test("a deep agent keeps its types", () => {
  const agent = createDeepAgent(guardDeepAgent({ model, tools: [sendMail], middleware: [counter] as const }));
  expectTypeOf<Awaited<ReturnType<typeof agent.invoke>>["count"]>().toEqualTypeOf<number>();
});
