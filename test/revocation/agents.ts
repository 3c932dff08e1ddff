// Agents of both frameworks, each in the middle of a tool that listens to its signal until it is stopped.
import { guard } from "@behest/ai-sdk";
import { BehestError, type Session } from "@behest/core";
import { behestMiddleware } from "@behest/langchain";
import { generateText, isStepCount, tool as aiTool } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { AIMessage, createAgent, fakeModel, tool as langchainTool } from "langchain";
import { z } from "zod";

/** How a run ended: the code of what it was rejected with, and how often its model was asked. */
export interface Ended {
  readonly code: string;
  readonly asked: number;
}

/** Called when the tool has begun, and in the very moment in which it is told to stop. */
export interface Watch {
  begun(): void;
  told(): void;
}

/** Runs until its tool is told to stop. */
export type Run = (session: Session, watch: Watch) => Promise<Ended>;

async function waits(signal: AbortSignal, { begun, told }: Watch): Promise<string> {
  begun();
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  told();
  throw signal.reason;
}

export const langchain: Run = async (session, watch) => {
  const read = langchainTool(async (_, { signal }: { signal?: AbortSignal }) => waits(signal!, watch), {
    name: "read",
    description: "Reads",
    schema: z.object({}),
  });
  const model = fakeModel()
    .respond(
      new AIMessage({ content: "", tool_calls: [{ name: "read", args: {}, id: "1", type: "tool_call" }] }),
    )
    .respond(new AIMessage("went on"));
  const agent = createAgent({ model, tools: [read], middleware: behestMiddleware() });
  const run = session.run(() => agent.invoke({ messages: [{ role: "user", content: "go" }] }));
  return { code: await codeOf(run), asked: model.calls.length };
};

export const aiSdk: Run = async (session, watch) => {
  const read = aiTool({
    inputSchema: z.object({}),
    execute: async (_, { abortSignal }) => waits(abortSignal!, watch),
  });
  const usage = {
    inputTokens: { total: 1, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 1, text: undefined, reasoning: undefined },
  };
  const model = new MockLanguageModelV4({
    doGenerate: async () => ({
      content: [{ type: "tool-call", toolCallId: "1", toolName: "read", input: "{}" }],
      finishReason: { unified: "tool-calls", raw: undefined },
      usage,
      warnings: [],
    }),
  });
  const settings = { model, tools: { read }, prompt: "go", stopWhen: isStepCount(3), maxRetries: 0 };
  return { code: await codeOf(generateText(guard(settings, session))), asked: model.doGenerateCalls.length };
};

/** The first of ours among what an error was caused by. */
async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return "went on";
  } catch (error) {
    for (let at: unknown = error; at instanceof Error; at = at.cause)
      if (BehestError.isInstance(at)) return at.code;
    return "error";
  }
}
