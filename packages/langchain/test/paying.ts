import { type AatTools, is } from "@behest/delegation";
import { interrupt } from "@langchain/langgraph";
import { AIMessage, type BaseMessage, createMiddleware, tool } from "langchain";
import { z } from "zod";
import { calling } from "./support.ts";

export const any: AatTools[string] = { "*": is.any.constraint };
export const granted = { pay: any, ask_person: any };

/** `pay` counts what it does; a middleware asks a person before `ask_person`, in LangGraph's way. */
export function paying() {
  const paid: number[] = [];
  const schema = z.object({ amount: z.number() });
  const pay = tool(async ({ amount }) => `paid ${paid.push(amount)}`, {
    name: "pay",
    description: "d",
    schema,
  });
  const askPerson = tool(async () => "asked", { name: "ask_person", description: "d", schema: z.object({}) });
  const pauses = createMiddleware({
    name: "pauses",
    wrapToolCall: (request, handler) => {
      if (request.toolCall.name === "ask_person") interrupt("may I?");
      return handler(request);
    },
  });
  return { paid, pay, askPerson, pauses };
}
export const both = () => calling({ name: "pay", args: { amount: 5 } }, { name: "ask_person", args: {} });
export const results = (messages: readonly BaseMessage[]) =>
  messages.filter(({ type }) => type === "tool").length;
export const bothThenDone = (messages: readonly BaseMessage[]) =>
  results(messages) > 0 ? new AIMessage("done") : both();
export const config = { configurable: { thread_id: "thread-1" } };
