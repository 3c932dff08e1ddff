import type { DelegateRequest } from "@behest/core";
import type { Json } from "@behest/delegation";
import { results } from "./codec.ts";
import { callBody, withBody } from "./enforce.ts";
import { callOf, inside, sessionHere } from "./place.ts";
import type { SpawnTool } from "./seal.ts";
import { spawned } from "./subagent.ts";

/** The tool by which a deep agent starts its sub-agents; deepagents lets no other tool have this name. */
export const TASK = "task";

/** What the `task` tool is called with. */
export interface DeepAgentTask {
  readonly description: string;
  readonly subagent_type: string;
}

/** What one sub-agent of a deep agent may do. */
export type TaskDelegate = DelegateRequest | ((task: DeepAgentTask) => DelegateRequest);

/**
 * Guards `task`: a sub-agent named in `delegates` runs under what is derived for it; any other runs under
 * its parent's own session, where each of its tools is decided on as the parent's are. Starting one is
 * no action: it does nothing by itself, and when a run is taken up again it must be started again.
 */
export function taskTool(delegates: ReadonlyMap<string, TaskDelegate>): SpawnTool {
  return {
    name: TASK,
    guard: (tool) =>
      withBody(tool, async (parsed, manager, config) => {
        const { subagent_type: type } = parsed as DeepAgentTask;
        const delegate = delegates.get(type);
        if (!delegate) {
          sessionHere(`"${TASK}"`, config?.configurable);
          return inside(callOf(config).callId, () => callBody(tool, parsed, manager, config));
        }
        // Derived sub-agents answer in text: deepagents' state update is written down as such.
        let fresh: { readonly value: unknown } | undefined;
        const text = await spawned(tool, parsed, config, delegate as never, async (input, inner) => {
          fresh = { value: await callBody(tool, input, manager, inner) };
          return JSON.stringify(results.encode(fresh.value) ?? UNKEPT);
        });
        return fresh ? fresh.value : results.decode(JSON.parse(text) as Json);
      }),
  };
}

// A state update that has no JSON form: on replay the answer is that there was one.
const UNKEPT: Json = { plain: "The task was completed; its result is no longer kept." };
