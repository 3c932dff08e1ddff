import type { LanguageModelV4 } from "@ai-sdk/provider";
import { ToolLoopAgent, isStepCount, jsonSchema, tool } from "ai";
import { guard } from "@behest/ai-sdk";
import { BehestError } from "@behest/core";
import type { Framework, Script } from "./play.ts";
import { replayThrough } from "./replay.ts";

function scripted(script: Script): LanguageModelV4 {
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  };
  return {
    specificationVersion: "v4",
    provider: "scripted",
    modelId: "scripted",
    supportedUrls: {},
    async doGenerate({ prompt }) {
      const calls = script(prompt.filter(({ role }) => role === "assistant").length);
      return {
        content: calls.map(({ id, tool: toolName, args }) => ({
          type: "tool-call",
          toolCallId: id,
          toolName,
          input: JSON.stringify(args),
        })),
        finishReason: { unified: calls.length > 0 ? "tool-calls" : "stop", raw: undefined },
        usage,
        warnings: [],
      };
    },
    doStream: () => Promise.reject(new TypeError("not streamed here")),
  };
}

const aiSdk: Framework = {
  name: "ai-sdk",
  // It looks at the tool's name only: a JSON Schema without a validator, as MCP tools have it, checks nothing.
  turnsAway: (_call, spec) => spec === undefined,
  agent(specs, script, body) {
    const tools = Object.fromEntries(
      specs.map(({ name, description, parameters }) => [
        name,
        tool({
          description,
          inputSchema: jsonSchema<unknown>(parameters as never),
          execute: async (args, { toolCallId }) => body(toolCallId, name, args),
        }),
      ]),
    );
    const agent = new ToolLoopAgent(guard({ model: scripted(script), tools, stopWhen: isStepCount(100) }));
    return async (prompt) => {
      const { steps } = await agent.generate({ prompt });
      return steps
        .flatMap(({ content }) => content)
        .filter((part) => part.type === "tool-result" || part.type === "tool-error")
        .map((part) => ({
          id: part.toolCallId,
          as: part.type === "tool-result" ? "result" : isDenial(part.error) ? "refusal" : "error",
        }));
    };
  },
};

function isDenial(error: unknown): boolean {
  return BehestError.isInstance(error) && error.name === "BehestDenied";
}

replayThrough(aiSdk);
