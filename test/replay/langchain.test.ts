import { randomUUID } from "node:crypto";
import { MemorySaver } from "@langchain/langgraph";
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { ChatResult } from "@langchain/core/outputs";
import { AIMessage, type BaseMessage, ToolMessage, createAgent, tool } from "langchain";
import { behestMiddleware, pendingApprovals, resume } from "@behest/langchain";
import { fits } from "./oracle.ts";
import type { Framework, Script } from "./play.ts";
import { replayThrough } from "./replay.ts";

class ScriptedModel extends BaseChatModel {
  readonly #script: Script;

  constructor(script: Script) {
    super({});
    this.#script = script;
  }

  override _llmType(): string {
    return "scripted";
  }

  override bindTools(): this {
    return this;
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const turn = messages.filter((message) => AIMessage.isInstance(message)).length;
    const tool_calls = this.#script(turn).map(({ id, tool: name, args }) => ({
      id,
      name,
      args,
      type: "tool_call" as const,
    }));
    return { generations: [{ text: "", message: new AIMessage({ content: "", tool_calls }) }] };
  }
}

const langchain: Framework = {
  name: "langchain",
  // It holds arguments against a tool's JSON Schema before it calls the tool.
  turnsAway: ({ args }, spec) => spec !== undefined && !fits(spec.parameters, args),
  agent(specs, script, body) {
    const tools = specs.map(({ name, description, parameters: schema }) =>
      tool(
        async (args: unknown, config: { toolCall?: { id?: string } }) =>
          body(config.toolCall?.id ?? "", name, args),
        {
          name,
          description,
          schema: schema as never,
        },
      ),
    );
    const agent = createAgent({
      model: new ScriptedModel(script),
      tools,
      middleware: behestMiddleware(),
      checkpointer: new MemorySaver(),
    });
    return async (content, decided) => {
      const config = { recursionLimit: 200, configurable: { thread_id: randomUUID() } };
      let state = await agent.invoke({ messages: [{ role: "user", content }] }, config);
      for (let asks = pendingApprovals(state); asks.length > 0; asks = pendingApprovals(state)) {
        await decided(asks);
        state = await agent.invoke(resume(asks), config);
      }
      return state.messages
        .filter((message) => ToolMessage.isInstance(message))
        .map(({ tool_call_id: id, status, text }) => ({
          id,
          as: status !== "error" ? "result" : text.startsWith("BehestDenied: ") ? "refusal" : "error",
        }));
    };
  },
};

replayThrough(langchain);
