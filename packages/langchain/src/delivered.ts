import type { Session } from "@behest/core";
import type { Json } from "@behest/delegation";
import { type Delivery, type LaterBody, deliveries, deliveryText } from "@behest/core/adapter";
import { type BaseMessage, HumanMessage, isBaseMessage } from "@langchain/core/messages";
import { type Command, isCommand } from "@langchain/langgraph";
import { results } from "./codec.ts";
import { type BodiedTool, isBodied, runBody, unguarded } from "./enforce.ts";

/**
 * What has come of calls that were deferred (`open(…, { waiting: "defer" })`), as messages to put before the next
 * question: data for the model, marked as such. Each is answered once in a process, and not where `messages`, the
 * conversation so far, has it. Under the same id it is the same message, so that a graph's state never holds it twice.
 *
 * `tools`: all that may have been deferred, sub-agents' too. What an earlier process left is done here, with its
 * arguments alone, and waited for where persons have decided; what has no tool here is left to another process, and of
 * what it answered nothing is shown. Of a `Command` its messages are told; the rest of it happens to no graph.
 */
export async function delivered(
  session: Session,
  tools: readonly object[],
  messages: readonly BaseMessage[] = [],
): Promise<HumanMessage[]> {
  const bodies = new Map(
    tools
      .map(unguarded)
      .filter(isBodied)
      .map((tool) => [tool.name, tool]),
  );
  const texts = messages.map(({ text }) => text);
  const found = await deliveries(session, (name, { callId }) => laterBody(bodies.get(name), callId), texts);
  return found.map((one) => {
    const content = deliveryText(one, shown(one, bodies.get(one.tool)));
    return new HumanMessage({ id: `behest-${one.receipt}`, content });
  });
}

function laterBody(tool: BodiedTool | undefined, id: string): LaterBody | undefined {
  return (
    tool && {
      definition: tool,
      codec: results,
      execute: (args, { signal }) => {
        const toolCall = {
          name: tool.name,
          args: args as Record<string, unknown>,
          id,
          type: "tool_call",
        } as const;
        return runBody(tool, args, undefined, { toolCall, signal });
      },
    }
  );
}

/** What LangChain would have shown the model of it. */
function shown({ outcome }: Delivery, tool: BodiedTool | undefined): Json | undefined {
  if (outcome.outcome !== "done" || !tool) return undefined;
  const { value } = outcome;
  const content: unknown =
    tool.responseFormat === "content_and_artifact" && Array.isArray(value) ? value[0] : value;
  if (isBaseMessage(content)) return content.text;
  if (isCommand(content)) return toldBy(content);
  const { plain } = (results.encode(content) ?? {}) as { plain?: Json };
  return plain;
}

function toldBy({ update }: Command): Json | undefined {
  const { messages } = (update ?? {}) as { messages?: unknown };
  const told = Array.isArray(messages) ? messages.filter(isBaseMessage) : [];
  return told.length > 0 ? told.map(({ text }) => text).join("\n") : undefined;
}
