import type { Session } from "@behest/core";
import { isGranted, reportTools } from "@behest/core/adapter";
import type { ClientTool, ServerTool } from "@langchain/core/tools";
import { Runnable } from "@langchain/core/runnables";
import { isBodied } from "./enforce.ts";

type OfferedTool = ClientTool | ServerTool;

// Tools that start a sub-agent: the derivation governs them, not a grant of their own.
const spawns: WeakSet<object> = new WeakSet();

export function markSpawn<T extends object>(tool: T): T {
  spawns.add(tool);
  return tool;
}

/**
 * What may be shown to the model: tools that the session's leaf names, and those that start a sub-agent.
 * For tools that run at the provider this is the enforcement, as no body of theirs runs here.
 */
export function offered<T extends OfferedTool>(
  session: Session,
  tools: readonly T[],
  spawnTool?: string,
): T[] {
  return tools.filter((tool) => {
    const name = nameOf(tool);
    return spawns.has(tool) || name === spawnTool || isGranted(session, name);
  });
}

const reported: WeakMap<Session, WeakSet<object>> = new WeakMap();

/** Once per session and list of tools. */
export function report(session: Session, tools: readonly OfferedTool[]): void {
  let known = reported.get(session);
  if (!known) reported.set(session, (known = new WeakSet()));
  if (known.has(tools)) return;
  known.add(tools);
  reportTools(
    session,
    tools.map((tool) => ({ tool: nameOf(tool), kind: kindOf(tool), definition: tool })),
  );
}

function kindOf(tool: OfferedTool): "wrapped" | "unwrapped" | "provider" {
  if (!Runnable.isRunnable(tool)) return "provider";
  return isBodied(tool) ? "wrapped" : "unwrapped";
}

/** A provider's tool is named by its `name`, its `function.name`, its `type`, or the one key it has. */
function nameOf(tool: OfferedTool): string {
  const {
    name,
    function: fn,
    type,
  } = tool as { name?: unknown; function?: { name?: unknown }; type?: unknown };
  for (const candidate of [name, fn?.name, type]) if (typeof candidate === "string") return candidate;
  return Object.keys(tool)[0] ?? "";
}
