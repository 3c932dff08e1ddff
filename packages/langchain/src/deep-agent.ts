import { BehestError } from "@behest/core";
import type { AgentMiddleware } from "langchain";
import { gate, isGate } from "./gate.ts";
import { seal, sealing } from "./seal.ts";
import { TASK, type TaskDelegate, taskTool } from "./task.ts";

interface Named {
  readonly name?: unknown;
}

interface Spec {
  readonly name: string;
  readonly mode?: string;
  readonly tools?: readonly Named[];
  readonly middleware?: readonly AgentMiddleware[];
  readonly runnable?: { readonly options?: { readonly middleware?: readonly AgentMiddleware[] } };
  readonly graphId?: string;
  readonly delegate?: TaskDelegate;
}

interface Params {
  readonly middleware?: readonly AgentMiddleware[];
  readonly subagents?: readonly Spec[];
  readonly skills?: readonly string[];
}

/**
 * The parameters of `createDeepAgent`, guarded: the agent, each declared sub-agent, and the
 * general-purpose one, which is declared here so that it can be. deepagents' own tools need grants like any
 * other, by their names (`write_file`, …); `task` needs none. A sub-agent's spec may have `delegate`, a
 * {@link TaskDelegate}: then it runs under that narrower delegation, else under its parent's. An
 * exception of a tool ends the run, as it does in plain deepagents.
 *
 * A compiled sub-agent must be guarded where it is built, with `behestMiddleware()`; else this throws
 * `tool_unguarded`, as what it runs cannot be seen from here. Sub-agents on another server (`graphId`) run
 * beyond this process: the tools that start them need grants, and the receiving side must verify.
 */
export function guardDeepAgent<P extends object>(params: P): P {
  const { middleware = [], subagents = [], skills } = params as Params;
  const delegates = new Map(subagents.flatMap(({ name, delegate }) => (delegate ? [[name, delegate]] : [])));
  const declared = subagents.some(({ name }) => name === GENERAL.name)
    ? subagents
    : [{ ...GENERAL, middleware: inherited(middleware), ...(skills && { skills }) }, ...subagents];
  return {
    ...params,
    middleware: around(middleware, delegates),
    subagents: declared.map((spec) => guardedSpec(spec, delegates)),
  };
}

const GENERAL = {
  name: "general-purpose",
  description:
    "Has the same tools as the main agent. For research and other work of several steps: give it the whole task; it answers with one report.",
  systemPrompt:
    "Carry out the task you are given with the tools you have, and answer with what was asked for.",
} satisfies Spec & { description: string; systemPrompt: string };

// deepagents gives its own general-purpose agent these of the main agent's middleware, and no others.
const INHERITED: ReadonlySet<string> = new Set([
  "FilesystemMiddleware",
  "SummarizationMiddleware",
  "SkillsMiddleware",
  "patchToolCallsMiddleware",
]);

function inherited(middleware: readonly AgentMiddleware[]): readonly AgentMiddleware[] {
  return middleware.filter(({ name }) => INHERITED.has(name));
}

type Delegates = ReadonlyMap<string, TaskDelegate>;

function guardedSpec(spec: Spec, delegates: Delegates): Spec {
  const { delegate: _, ...rest } = spec;
  if (spec.graphId !== undefined) return rest;
  if (spec.runnable) {
    if (spec.runnable.options?.middleware?.some(isGate)) return rest;
    throw new BehestError(
      "tool_unguarded",
      `tool_unguarded: the compiled sub-agent "${spec.name}" is not guarded. Build it with createAgent({ …, middleware: behestMiddleware() }).`,
    );
  }
  noTask(spec.tools ?? []);
  // Only a fork has a `task` tool of its own.
  return { ...rest, middleware: around(spec.middleware ?? [], spec.mode === "fork" ? delegates : undefined) };
}

/** deepagents' own middleware stays outside of ours; it calls on once, and changes only what has come back. */
function around(middleware: readonly AgentMiddleware[], delegates: Delegates | undefined): AgentMiddleware[] {
  noTask(middleware.flatMap(({ tools = [] }) => [...tools] as Named[]));
  const spawnTool = delegates && taskTool(delegates);
  return [gate({ fatal: true, spawnTool: spawnTool?.name }), ...middleware, seal(sealing(spawnTool))];
}

/** A tool that took this name would pass for the one that starts sub-agents, and need no grant. */
function noTask(tools: readonly Named[]): void {
  if (tools.some(({ name }) => name === TASK))
    throw new BehestError(
      "tool_unsupported",
      `tool_unsupported: the name "${TASK}" is deepagents' own. Rename the tool.`,
    );
}
