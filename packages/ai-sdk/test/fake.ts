// For tests: a scripted model and a few tools.
import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4Prompt,
} from "@ai-sdk/provider";
import { tool } from "ai";
import { MockLanguageModelV4, simulateReadableStream } from "ai/test";
import { z } from "zod";
import { type Store, readStore } from "@behest/core";
import type { EntryPayload } from "@behest/provenance";
import { partsOf } from "../src/answer.ts";

/** A text, or the calls of one turn; an id is made up afresh each time the model is asked, unless it is given. */
export type Turn = string | readonly (readonly [tool: string, input: unknown, id?: string])[];

let made = 0;

/**
 * Answers turn n of the script to a prompt with n answers in it, in whichever way it is asked. So it
 * keeps no state, and one model serves many conversations.
 */
export function fake(...script: readonly Turn[]): MockLanguageModelV4 {
  return fakeOf((prompt) => script[prompt.filter(({ role }) => role === "assistant").length] ?? "end");
}

export function fakeOf(turnOf: (prompt: LanguageModelV4Prompt) => Turn): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => answer(turnOf(prompt)),
    doStream: async ({ prompt }) => ({
      stream: simulateReadableStream({
        chunks: partsOf(answer(turnOf(prompt))),
        chunkDelayInMs: null,
        initialDelayInMs: null,
      }),
    }),
  });
}

export function answer(turn: Turn): LanguageModelV4GenerateResult {
  const content: LanguageModelV4Content[] =
    typeof turn === "string"
      ? [{ type: "text", text: turn }]
      : turn.map(([toolName, input, toolCallId = `call-${made++}`]) => ({
          type: "tool-call",
          toolCallId,
          toolName,
          input: typeof input === "string" ? input : JSON.stringify(input),
        }));
  const unified = typeof turn === "string" ? "stop" : "tool-calls";
  return {
    content,
    finishReason: { unified, raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 1, text: undefined, reasoning: undefined },
    },
    warnings: [],
  };
}

/** How often it was asked, one way or the other. */
export function asked(model: MockLanguageModelV4): number {
  return model.doGenerateCalls.length + model.doStreamCalls.length;
}

/** The tool results that the model saw when it was asked for the nth time, errors too. */
export function seen(model: MockLanguageModelV4, n = asked(model) - 1): string[] {
  const { prompt } = [...model.doGenerateCalls, ...model.doStreamCalls][n]!;
  return prompt
    .filter((message) => message.role === "tool")
    .flatMap(({ content }) => content.filter((part) => part.type === "tool-result"))
    .map(({ output }) => ("value" in output ? String(output.value) : output.type));
}

/** What stands in the log, signatures left aside. */
export async function entriesOf(store: Store): Promise<EntryPayload[]> {
  const entries: EntryPayload[] = [];
  for await (const jws of readStore(store).entries())
    entries.push(JSON.parse(Buffer.from(jws.split(".")[1]!, "base64url").toString()) as EntryPayload);
  return entries;
}

/** Three tools, and what their bodies did. */
// oxlint-disable-next-line typescript/explicit-module-boundary-types -- the tools' types are the point
export function toolbox() {
  const did: string[] = [];
  const tools = {
    pay: tool({
      inputSchema: z.object({ amount: z.number(), currency: z.string().default("EUR") }),
      execute: async ({ amount, currency }) => {
        did.push(`pay ${amount} ${currency}`);
        return `paid ${amount}`;
      },
    }),
    read_file: tool({
      inputSchema: z.object({ path: z.string() }),
      execute: async ({ path }) => {
        did.push(`read ${path}`);
        return `content of ${path}`;
      },
    }),
    drop_table: tool({
      inputSchema: z.object({ name: z.string() }),
      execute: async ({ name }) => {
        did.push(`drop ${name}`);
        return "dropped";
      },
    }),
  };
  return { tools, did };
}
