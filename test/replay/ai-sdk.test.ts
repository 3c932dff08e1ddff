import type { LanguageModelV4 } from "@ai-sdk/provider";
import { type ModelMessage, type ToolContent, ToolLoopAgent, isStepCount, jsonSchema, tool } from "ai";
import { guard, pendingApprovals, resume } from "@behest/ai-sdk";
import type { Framework, Script, Told } from "./play.ts";
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
    return async (content, decided) => {
      let result = await agent.generate({ prompt: content });
      const messages: ModelMessage[] = [{ role: "user", content }, ...result.responseMessages];
      for (let asks = pendingApprovals(result); asks.length > 0; asks = pendingApprovals(result)) {
        await decided(asks);
        messages.push(...resume(asks));
        result = await agent.generate({ messages });
        messages.push(...result.responseMessages);
      }
      return messages
        .filter(({ role }) => role === "tool")
        .flatMap(({ content: parts }) => parts as ToolContent)
        .filter((part) => part.type === "tool-result")
        .map(({ toolCallId: id, output }) => ({ id, as: TOLD[output.type](output as never) }));
    };
  },
};

type Output = Extract<ToolContent[number], { type: "tool-result" }>["output"];
const TOLD: { readonly [type in Output["type"]]: (output: { readonly value: unknown }) => Told["as"] } = {
  text: () => "result",
  json: () => "result",
  content: () => "result",
  "execution-denied": () => "refusal",
  "error-text": ({ value }) => (String(value).startsWith("BehestDenied: ") ? "refusal" : "error"),
  "error-json": () => "error",
};

replayThrough(aiSdk);
