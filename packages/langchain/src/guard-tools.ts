import { BehestError } from "@behest/core";
import { Runnable } from "@langchain/core/runnables";
import { guarded, isBodied } from "./enforce.ts";

/**
 * The same tools, guarded at their bodies: for `ToolNode` and for calling tools yourself. Order, names and
 * types stay. Invoked with a tool call, a refusal is an error ToolMessage; invoked with bare arguments, it
 * is thrown. What a person has to approve first pauses the graph, where it has a checkpointer and the tool was
 * invoked with a tool call; else it is refused. Tools that run at the provider pass through. Throws `tool_unsupported` for a tool that has no
 * body of its own (`runnable.asTool()`) or overrides `invoke` or `call`.
 */
export function guardTools<T extends object[]>(tools: T): T {
  return tools.map((tool) => {
    if (isBodied(tool)) return guarded(tool);
    if (!Runnable.isRunnable(tool)) return tool;
    const { name } = tool as { name?: string };
    throw new BehestError(
      "tool_unsupported",
      `tool_unsupported: "${name}" has no body that could be guarded. Make it with tool(), and call the runnable in there.`,
    );
  }) as T;
}
