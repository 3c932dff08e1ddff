import { type AatTools, grants, is } from "@behest/delegation";
import { currentSession } from "@behest/core";
import { AIMessage, type BaseMessage, tool } from "langchain";
import { z } from "zod";
import { calling, deciding, told } from "./support.ts";

export const any: AatTools[string] = { "*": is.any.constraint };
export const lookUp = tool(async ({ word }) => `${currentSession().agent} found ${word}`, {
  name: "look_up",
  description: "Looks a word up",
  schema: z.object({ word: z.string() }),
});
export const words = (...allowed: string[]) => grants([lookUp], { look_up: { word: is.oneOf(...allowed) } });
export const task = (type: string, description = "do it") => ({
  name: "task",
  args: { subagent_type: type, description },
});
export const isChild = (messages: readonly BaseMessage[]) => messages.some(({ text }) => text === "do it");

/** The main agent starts one sub-agent, which makes these calls and reports what it was told. */
export function delegating(type: string, ...calls: { name: string; args: Record<string, unknown> }[]) {
  return deciding((messages) => {
    const results = messages.filter(({ type: kind }) => kind === "tool");
    if (isChild(messages))
      return results.length > 0 ? new AIMessage(told(results).join("\n")) : calling(...calls);
    return results.length > 0 ? new AIMessage("done") : calling(task(type));
  });
}
