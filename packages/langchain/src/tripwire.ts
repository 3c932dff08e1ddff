import { BehestError, type Session } from "@behest/core";
import { ambientSession, refuse, reportTools } from "@behest/core/adapter";
import { StructuredTool, type ToolRunnableConfig } from "@langchain/core/tools";
import { callOf } from "./place.ts";

type Start = (
  this: StructuredTool,
  arg: unknown,
  config?: ToolRunnableConfig,
  tags?: string[],
) => Promise<unknown>;

const shared = globalThis as { [tripwire: symbol]: WeakSet<object> | undefined };
const KEY = Symbol.for("behest.langchain.tripwire.v1");

// One set across copies of this module, so that one copy's tripwire knows the other's guarded tools.
const guarded: WeakSet<object> = (shared[KEY] ??= armed());

/** Lets a tool start inside of a session: its body is guarded. */
export function admit(tool: object): void {
  guarded.add(tool);
}

export function isAdmitted(tool: object): boolean {
  return guarded.has(tool);
}

/**
 * Inside of a session, only guarded tools start. Every tool of LangChain starts in this one method, before
 * its arguments are parsed: those of an unguarded sub-agent, a tool swapped after the seal, a bare
 * `tool.invoke()`. Not met here, hence not stopped: a direct call of `_call` or `func`, what is no tool to
 * LangChain (`runnable.asTool()`), and the tools of a second copy of `@langchain/core`.
 *
 * LangChain's own way would be a callback handler that throws. But with any callback handler it keeps a
 * callback manager for each step of each graph, which alone costs more than all that is signed for a call.
 */
function armed(): WeakSet<object> {
  const admitted: WeakSet<object> = new WeakSet();
  const prototype = StructuredTool.prototype as unknown as { call: Start };
  const start = prototype.call;
  if (typeof start !== "function")
    throw new BehestError(
      "tool_unsupported",
      "tool_unsupported: this version of @langchain/core starts tools in another way. Install one that @behest/langchain supports.",
    );
  prototype.call = function (arg, config, tags) {
    const session = admitted.has(this) ? undefined : ambientSession();
    return session ? stopped(session, this.name, config) : start.call(this, arg, config, tags);
  };
  return admitted;
}

async function stopped(
  session: Session,
  tool: string,
  config: ToolRunnableConfig | undefined,
): Promise<never> {
  reportTools(session, [{ tool, kind: "unwrapped" }]);
  const reason = `${tool}: this tool is not guarded here, so it was not run.`;
  throw await refuse(session, { tool, ...callOf(config) }, "tool_unguarded", reason);
}
