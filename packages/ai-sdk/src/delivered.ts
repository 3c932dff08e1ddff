import type { ModelMessage, Tool, ToolSet } from "ai";
import type { Session } from "@behest/core";
import type { Json } from "@behest/delegation";
import { type Delivery, type LaterBody, deliveries, deliveryText } from "@behest/core/adapter";
import { toJson } from "./json.ts";
import { type Execute, type Guarded, brandOf } from "./mark.ts";
import { lastOf } from "./past.ts";

/**
 * What has come of calls that were deferred (`open(…, { waiting: "defer" })`), as messages to put before the next
 * question: data for the model, marked as such. Each is answered once in a process, and not where `messages`, the
 * conversation so far, has it.
 *
 * `tools`: all that may have been deferred, sub-agents' too. What an earlier process left is done here, with its
 * arguments alone (hence not where a tool has a `contextSchema`), and waited for where persons have decided; what has no
 * tool here is left to another process, and of what it answered nothing is shown.
 */
export async function delivered(
  session: Session,
  tools: ToolSet,
  messages: readonly ModelMessage[] = [],
): Promise<ModelMessage[]> {
  const bodied = (name: string): Tool | undefined =>
    Object.hasOwn(tools, name) ? given(tools[name] as Tool) : undefined;
  const found = await deliveries(
    session,
    (name, { callId }) => laterBody(bodied(name), callId),
    messages.flatMap(textsOf),
  );
  return Promise.all(
    found.map(async (one) => ({
      role: "user" as const,
      content: deliveryText(one, await shown(one, bodied(one.tool))),
    })),
  );
}

/** A tool as it was before it was guarded. */
function given(tool: Tool): Tool | undefined {
  const execute = tool.execute as Execute | undefined;
  const before = execute && brandOf<Guarded>(execute);
  if (before?.kind === "spawn") return undefined;
  return before ? (before.definition as Tool) : tool;
}

function laterBody(tool: Tool | undefined, toolCallId: string): LaterBody | undefined {
  if (!tool?.execute || tool.contextSchema) return undefined;
  return {
    definition: tool,
    execute: async (args, { signal: abortSignal }) =>
      lastOf(await tool.execute!(args, { toolCallId, messages: [], abortSignal, context: undefined })),
  };
}

/** What the SDK would have shown the model of it. */
async function shown({ outcome, call }: Delivery, tool: Tool | undefined): Promise<Json | undefined> {
  if (outcome.outcome !== "done" || !tool) return undefined;
  const output = outcome.value;
  if (!tool.toModelOutput) return toJson(output);
  try {
    const { callId: toolCallId, args: input } = call;
    const told = await tool.toModelOutput({ toolCallId, input, output });
    return "value" in told ? toJson(told.value) : undefined;
  } catch {
    // It alone knows what the model may see.
    return undefined;
  }
}

function textsOf({ role, content }: ModelMessage): readonly string[] {
  if (role !== "user") return [];
  if (typeof content === "string") return [content];
  return content.flatMap((part) => (part.type === "text" ? [part.text] : []));
}
