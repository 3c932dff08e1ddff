import {
  type InferAgentUIMessage,
  type InferToolInput,
  type InferToolOutput,
  type LanguageModel,
  Output,
  ToolLoopAgent,
  type ToolSet,
  dynamicTool,
  generateText,
  streamText,
  tool,
} from "ai";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { guard, guardTools, subagentTool } from "./index.ts";

// Type-checked with the tests (`tsc -b test`), never run: what compiles here is what is promised.

const pay = z.object({ amount: z.number(), currency: z.enum(["EUR", "USD"]) });
const tools = {
  pay: tool({ inputSchema: pay, execute: async ({ amount }) => amount }),
  read_file: tool({ inputSchema: z.object({ path: z.string() }), execute: async ({ path }) => path }),
  ask_user: tool({ inputSchema: z.object({ q: z.string() }), outputSchema: z.string() }),
} satisfies ToolSet;
type Name = keyof typeof tools;
declare const model: LanguageModel;

test("the types of this file hold", () => expect(true).toBe(true));

export function callbacksOfStreamText(): void {
  const result = streamText(
    guard({
      model,
      tools,
      prompt: "x",
      runtimeContext: { user: "u" },
      activeTools: ["pay"],
      toolOrder: ["read_file"],
      prepareStep: ({ stepNumber, steps, runtimeContext }) => {
        expectTypeOf(stepNumber).toBeNumber();
        expectTypeOf(steps[0]!.toolCalls[0]!.toolName).toExtend<string>();
        expectTypeOf(runtimeContext.user).toBeString();
        return { activeTools: stepNumber ? ["read_file"] : [] };
      },
      stopWhen: [({ steps }) => steps.length > 3],
      toolApproval: { pay: (input) => (input.amount > 9 ? "user-approval" : undefined) },
      repairToolCall: async ({ toolCall, tools: known }) => {
        expectTypeOf(known).toEqualTypeOf<typeof tools>();
        return toolCall;
      },
      experimental_refineToolInput: { pay: ({ amount, currency }) => ({ amount: amount + 1, currency }) },
      onStart: ({ modelId }) => void expectTypeOf(modelId).toBeString(),
      onStepStart: ({ stepNumber }) => void expectTypeOf(stepNumber).toBeNumber(),
      onStepEnd: ({ text, runtimeContext }) => {
        expectTypeOf(text).toBeString();
        expectTypeOf(runtimeContext.user).toBeString();
      },
      onStepError: ({ error }) => void expectTypeOf(error).toBeUnknown(),
      onEnd: ({ totalUsage }) =>
        void expectTypeOf(totalUsage.totalTokens).toEqualTypeOf<number | undefined>(),
      onChunk: ({ chunk }) => {
        if (chunk.type === "tool-call" && !chunk.dynamic && chunk.toolName === "pay")
          expectTypeOf(chunk.input.amount).toBeNumber();
      },
      onError: ({ error }) => void expectTypeOf(error).toBeUnknown(),
      onAbort: ({ steps }) => void expectTypeOf(steps.length).toBeNumber(),
      onLanguageModelCallStart: ({ modelId }) => void expectTypeOf(modelId).toBeString(),
      onLanguageModelCallEnd: ({ finishReason }) => void expectTypeOf(finishReason).toExtend<string>(),
      onToolExecutionStart: ({ toolCall }) => void expectTypeOf(toolCall.toolCallId).toBeString(),
      onToolExecutionEnd: ({ toolExecutionMs }) => void expectTypeOf(toolExecutionMs).toBeNumber(),
      experimental_transform: ({ stopStream }) => {
        expectTypeOf(stopStream).toEqualTypeOf<() => void>();
        return new TransformStream();
      },
    }),
  );
  void result.toolCalls.then(([call]) => {
    if (call && !call.dynamic && call.toolName === "pay") expectTypeOf(call.input.amount).toBeNumber();
  });
}

export async function callbacksOfGenerateText(): Promise<void> {
  const result = await generateText(
    guard({
      model,
      tools,
      prompt: "x",
      output: Output.object({ schema: z.object({ a: z.number() }) }),
      prepareStep: ({ stepNumber }) => ({ activeTools: stepNumber ? ["pay"] : [], toolChoice: "required" }),
      stopWhen: ({ steps }) => steps.length > 3,
      toolApproval: ({ toolCall }) => (toolCall.toolName === "pay" ? "denied" : undefined),
      onStepFinish: ({ text }) => void expectTypeOf(text).toBeString(),
      onFinish: ({ steps }) => void expectTypeOf(steps.length).toBeNumber(),
      experimental_repairToolCall: async ({ toolCall }) => toolCall,
      onToolExecutionEnd: ({ toolOutput }) => void expectTypeOf(toolOutput.toolCallId).toBeString(),
    }),
  );
  expectTypeOf(result.output).toEqualTypeOf<{ a: number }>();
  for (const call of result.toolCalls)
    if (!call.dynamic && call.toolName === "pay")
      expectTypeOf(call.input.currency).toEqualTypeOf<"EUR" | "USD">();
}

export async function agents(): Promise<void> {
  const plain = new ToolLoopAgent({ model, tools });
  const bare = new ToolLoopAgent(guard({ model, tools }));
  const guarded = new ToolLoopAgent(
    guard({
      model,
      tools,
      instructions: "Be brief",
      prepareStep: () => ({ activeTools: ["pay"] }),
      stopWhen: ({ steps }) => steps.length > 3,
      toolApproval: { pay: "user-approval" },
      onStepEnd: ({ text }) => void expectTypeOf(text).toBeString(),
      onEnd: ({ text }) => void expectTypeOf(text).toBeString(),
      onError: ({ error }) => void expectTypeOf(error).toBeUnknown(),
    }),
  );
  expectTypeOf<InferAgentUIMessage<typeof bare>>().toEqualTypeOf<InferAgentUIMessage<typeof plain>>();
  expectTypeOf<InferAgentUIMessage<typeof guarded>>().toEqualTypeOf<InferAgentUIMessage<typeof plain>>();
  const called = new ToolLoopAgent(
    guard({
      model,
      tools,
      callOptionsSchema: z.object({ user: z.string() }),
      prepareCall: ({ options, ...rest }) => {
        expectTypeOf(options).toEqualTypeOf<{ user: string }>();
        return { ...rest, instructions: options.user };
      },
    }),
  );
  await called.generate({ prompt: "x", options: { user: "u" } });
  // @ts-expect-error options are required, as the schema says
  await called.generate({ prompt: "x" });
}

export function otherModels(cheap: LanguageModel): void {
  void generateText(
    guard({
      model: Math.random() > 0.5 ? cheap : model,
      tools,
      prompt: "x",
      prepareStep: ({ stepNumber, model: current, messages }) =>
        stepNumber === 0
          ? undefined
          : { model: stepNumber > 1 ? cheap : current, messages, activeTools: ["pay"] },
    }),
  );
  new ToolLoopAgent(
    guard({
      model,
      tools,
      prepareCall: (call) => ({
        ...call,
        model: Math.random() > 0.5 ? cheap : call.model,
        toolApproval: { pay: "denied" },
        prepareStep: () => ({ activeTools: ["pay"] }),
      }),
    }),
  );
}

export function mistakes(): void {
  // @ts-expect-error not a model
  void generateText(guard({ model, tools, prompt: "x", prepareStep: () => ({ model: 5 }) }));
  // @ts-expect-error unknown tool
  streamText(guard({ model, tools, prompt: "x", prepareStep: () => ({ activeTools: ["nope"] }) }));
  // @ts-expect-error unknown tool
  streamText(guard({ model, tools, prompt: "x", activeTools: ["nope"] }));
  // @ts-expect-error unknown tool
  streamText(guard({ model, tools, prompt: "x", toolApproval: { nope: "denied" } }));
  // @ts-expect-error no model
  void generateText(guard({ tools, prompt: "x" }));
  // @ts-expect-error not a session
  guard({ model, tools, prompt: "x" }, "alice");
}

export function ids(): void {
  void generateText(guard({ model: "openai/gpt-5", tools, prompt: "x" }));
  void generateText(guard({ model: "openai/gpt-5", prompt: "x" }));
}

export function tooling(): void {
  const guarded = guardTools(tools);
  expectTypeOf(guarded).toEqualTypeOf<typeof tools>();
  expectTypeOf<InferToolInput<typeof guarded.pay>>().toEqualTypeOf<z.infer<typeof pay>>();
  expectTypeOf<InferToolOutput<typeof guarded.pay>>().toEqualTypeOf<number>();
  expectTypeOf<Name>().toEqualTypeOf<keyof typeof guarded>();
  const dynamic = guardTools({ any: dynamicTool({ inputSchema: z.unknown(), execute: async () => 1 }) });
  expectTypeOf(dynamic.any.type).toEqualTypeOf<"dynamic">();
  const child = subagentTool({
    description: "d",
    inputSchema: z.object({ folder: z.string() }),
    delegate: ({ folder }) => ({
      tools: { read_file: { path: { constraint_type: "exact", value: folder } } },
    }),
    run: async ({ folder }, { signal }) => `${folder} ${signal.aborted}`,
  });
  expectTypeOf<InferToolInput<typeof child>>().toEqualTypeOf<{ folder: string }>();
  expectTypeOf<InferToolOutput<typeof child>>().toBeString();
  new ToolLoopAgent(
    guard({ model, tools: { ...tools, child }, prepareStep: () => ({ activeTools: ["child"] }) }),
  );
}
