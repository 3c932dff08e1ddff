import type { Tool, ToolSet } from "ai";
import { experimental_getToolCaller } from "@ai-sdk/provider-utils";
import type { Session } from "@behest/core";
import { ambientSession } from "@behest/core/adapter";
import { guardExecute } from "./execute.ts";
import { type Execute, type Guarded, brand, brandOf, marked } from "./mark.ts";
import { isOffered } from "./offer.ts";
import { guardSearch } from "./search.ts";

/**
 * The same tools with every body behind the gate: what a model calls is decided, recorded, and only then
 * run, under the given session or the ambient one. Types, streaming, dynamic tools and code-mode callers
 * stay as they are; tools without a body pass through. Refusals reach the model as tool errors named
 * `BehestDenied`; a call outside a session as `no_session`.
 */
export function guardTools<T extends ToolSet>(tools: T, session?: Session): T {
  const guarded = Object.entries(tools).map(([name, tool]) => [name, guardTool(tool as Tool, name, session)]);
  return Object.fromEntries(guarded) as T;
}

function guardTool(tool: Tool, name: string, session: Session | undefined, given: object = tool): Tool {
  const execute = tool.execute as Execute | undefined;
  if (typeof execute !== "function") return tool;
  const before = brandOf<Guarded>(execute);
  if (before && before.name === name && (before.session || !session)) return tool;
  const own = before?.session ?? session;
  const { kind, definition, bind }: Pick<Guarded, "kind" | "definition" | "bind"> = before ?? {
    kind: "tool",
    definition: given,
    bind: (as, under) => guardExecute({ tool, execute, definition: given }, as, under),
  };
  const body = brand(bind(name, own), { kind, name, session: own, definition, bind } satisfies Guarded);
  const members = { execute: body, ...marked(tool, kind), ...guardSearch(tool, name, own, definition) };
  return copy(tool, {
    ...Object.getOwnPropertyDescriptors(members),
    ...callerOf(tool, name, own, definition),
  });
}

/** Not a spread: that would lose the prototype, and a code-mode caller would run unbound. */
function copy(tool: Tool, changed: PropertyDescriptorMap): Tool {
  const properties = { ...Object.getOwnPropertyDescriptors(tool), ...changed };
  return Object.create(Object.getPrototypeOf(tool) as object | null, properties) as Tool;
}

/**
 * Code mode binds a caller to the tools that its programs may call. Those are guarded, and so is what
 * comes out; it describes to the model only what is granted.
 */
function callerOf(
  tool: Tool,
  name: string,
  session: Session | undefined,
  definition: object,
): PropertyDescriptorMap {
  const caller = experimental_getToolCaller(tool);
  if (caller?.type !== "local") return {};
  const { prepareModelMessage } = caller;
  const bind = (tools: ToolSet): Tool => {
    const bound = caller.bind(guardTools(tools, session));
    const { description } = caller.bind(granted(tools, session));
    const shown = copy(bound, Object.getOwnPropertyDescriptors({ description }));
    return guardTool(shown, name, session, definition);
  };
  const message = prepareModelMessage && {
    prepareModelMessage: (tools: ToolSet) => prepareModelMessage.call(caller, granted(tools, session)),
  };
  return { experimental_toolCaller: { value: { ...caller, bind, ...message } } };
}

function granted(tools: ToolSet, explicit: Session | undefined): ToolSet {
  const session = explicit ?? ambientSession();
  if (!session) return tools;
  return Object.fromEntries(
    Object.entries(tools).filter(([name, tool]) => {
      const execute = tool.execute as Execute | undefined;
      return isOffered(session, name, execute && brandOf<Guarded>(execute)?.kind);
    }),
  );
}
