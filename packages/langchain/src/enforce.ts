import { callTool } from "@behest/core/adapter";
import type { CallbackManagerForToolRun } from "@langchain/core/callbacks/manager";
import {
  DynamicStructuredTool,
  DynamicTool,
  StructuredTool,
  Tool,
  type ToolRunnableConfig,
} from "@langchain/core/tools";
import { results } from "./codec.ts";
import { denialMessage, isDenial } from "./denial.ts";
import { callOf, inside, mailboxHere, sessionHere } from "./place.ts";
import { admit, isAdmitted } from "./tripwire.ts";
import { isWaiting, pause } from "./waiting.ts";

/** What LangChain calls once it has parsed the arguments. */
export type Body = (
  parsed: unknown,
  manager?: CallbackManagerForToolRun,
  config?: ToolRunnableConfig,
) => unknown;

/** A tool whose body can be guarded. */
export interface BodiedTool {
  readonly name: string;
  readonly responseFormat?: string;
  _call: Body;
}

const clones: WeakMap<object, object> = new WeakMap();
const originals: WeakMap<object, object> = new WeakMap();

/** Calls a tool's body. */
export function callBody(tool: BodiedTool, ...call: Parameters<Body>): unknown {
  return tool._call(...call);
}

/**
 * A tool with the same parsing, name and type, and another body. LangChain's own `invoke` parses and
 * then calls `_call`: there the arguments are what will run. The original keeps its private fields,
 * because its own `_call` is still called on it.
 */
export function withBody<T extends BodiedTool>(tool: T, body: Body): T {
  const told: Body = async (parsed, manager, config) => {
    try {
      return await body(parsed, manager, config);
    } catch (error) {
      if (!isDenial(error) || !config?.toolCall) throw error;
      const mailbox = mailboxHere();
      if (isWaiting(error)) {
        if (!mailbox) return pause(sessionHere(`"${tool.name}"`, config.configurable), error);
        mailbox.waiting = error;
      }
      const message = denialMessage(error, config.toolCall, tool.name);
      return tool.responseFormat === "content_and_artifact" ? [message, undefined] : message;
    }
  };
  // Enumerable, so that a copy of the tool (deepagents makes them, for other descriptions) takes it along.
  const clone = Object.create(tool, { _call: { value: told, enumerable: true } }) as T;
  admit(clone);
  return clone;
}

/** The tool with its body decided on, recorded, and run with the frozen arguments that were decided on. */
export function guarded<T extends BodiedTool>(tool: T): T {
  if (isAdmitted(tool)) return tool;
  const known = clones.get(tool);
  if (known) return known as T;
  const clone = withBody(tool, (parsed, manager, config) => {
    const session = sessionHere(`"${tool.name}"`, config?.configurable);
    const place = callOf(config);
    // A text tool may be called with nothing at all.
    const args = parsed === undefined ? {} : parsed;
    const call = {
      tool: tool.name,
      args,
      definition: tool,
      codec: results,
      ...place,
      signal: config?.signal,
      // LangChain's `tool()` rejects with the signal for a function that goes on.
      leaves: "func" in tool,
      given: config?.toolCall?.args,
    };
    return callTool<unknown>(session, call, (frozen, { signal }) =>
      runBody(tool, parsed === undefined ? undefined : frozen, manager, { ...config, signal }),
    );
  });
  clones.set(tool, clone);
  originals.set(clone, tool);
  return clone;
}

/** The tool that was guarded; itself where it was not. */
export function unguarded<T extends object>(tool: T): T {
  return (originals.get(tool) as T | undefined) ?? tool;
}

/** Runs a tool's body as that of the call in its config, to the end where it is a generator. */
export function runBody(tool: BodiedTool, ...call: Parameters<Body>): Promise<unknown> {
  const [, manager, config] = call;
  return inside(config?.toolCall?.id, async () => drained(await callBody(tool, ...call), manager));
}

/** A generator's body runs while it is pulled: pull it here, inside the action, and report its events as LangChain would. */
async function drained(raw: unknown, manager: CallbackManagerForToolRun | undefined): Promise<unknown> {
  const generator = raw as AsyncGenerator | null | undefined;
  if (typeof generator !== "object" || typeof generator?.next !== "function") return raw;
  try {
    let step = await generator.next();
    while (!step.done) {
      await manager?.handleToolEvent(step.value).catch((error: unknown) => manager.handleToolError(error));
      step = await generator.next();
    }
    return step.value;
  } finally {
    await generator.return?.(undefined);
  }
}

const CLASSES: readonly object[] = [StructuredTool, Tool, DynamicTool, DynamicStructuredTool];
// A second copy of LangChain (a module and CommonJS, say) is known by its names.
const NAMES: ReadonlySet<string> = new Set([
  "StructuredTool",
  "Tool",
  "DynamicTool",
  "DynamicStructuredTool",
]);

/**
 * Whether guarding `_call` guards the tool: it has one, and reaches it through LangChain's own `invoke`
 * and `call`. `runnable.asTool()` has none; a class with its own `invoke` may work there.
 */
export function isBodied(tool: object): tool is BodiedTool {
  const bodied = "_call" in tool && typeof tool["_call"] === "function";
  return bodied && isLangChains(tool, "invoke") && isLangChains(tool, "call");
}

function isLangChains(tool: object, method: string): boolean {
  if (Object.hasOwn(tool, method)) return false;
  let owner: object | null = tool;
  while (owner && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner) as object | null;
  return owner !== null && (CLASSES.includes(owner.constructor) || NAMES.has(owner.constructor.name));
}
