import type { Tool, ToolExecutionOptions } from "ai";
import type { z } from "zod";
import type { Ask, DelegateRequest, Session } from "@behest/core";
import { type Delegate, isNested, spawn, waitingIn } from "@behest/core/adapter";
import { type Execute, type Guarded, brand, marked } from "./mark.ts";
import { asksAt, placeholder, refusePlaceholder } from "./pause.ts";
import { sessionFor } from "./session.ts";
import { turnOf } from "./step.ts";
import { until } from "./until.ts";

/** A sub-agent has stopped before it was done: it is begun, and will be again. */
class Waits extends Error {
  readonly asks: readonly Ask[];
  constructor(asks: readonly Ask[]) {
    super("it waits for persons");
    this.asks = asks;
  }
}

export interface Subagent<S extends z.ZodObject> {
  description: string;
  inputSchema: S;
  /** What the child may do: equal to or narrower than what its parent may (`wider_than_parent` otherwise, to the model as a tool error). */
  delegate: DelegateRequest | ((input: z.infer<S>) => DelegateRequest);
  /** Runs inside the child's session; any framework may be inside. Its answer is the tool's result. */
  run: (input: z.infer<S>, session: Session) => Promise<string>;
}

/**
 * A tool that starts a sub-agent under a delegation of its own. It needs no grant: what it derives governs
 * it, and is its record. Put it among the tools of {@link guard}.
 */
export function subagentTool<S extends z.ZodObject>(spec: Subagent<S>): Tool<z.infer<S>, string> {
  const { description, inputSchema, delegate, run } = spec;
  const bind = (name: string, explicit: Session | undefined): Execute => {
    return async (
      input,
      { toolCallId: callId, messages, abortSignal: signal }: ToolExecutionOptions<unknown>,
    ) => {
      const session = sessionFor(explicit, `"${name}"`);
      const turn = await turnOf(callId, messages);
      const paused = isNested(session) || turn === undefined ? undefined : asksAt(messages);
      const call = {
        tool: name,
        args: input,
        callId,
        turn,
        signal,
        waits: paused !== undefined,
        defers: turn !== undefined,
      };
      const answer = spawn(session, call, delegate as Delegate, async (child, args) => {
        // An agent that stops early may have no answer to give: then it throws.
        const [said] = await Promise.allSettled([run(args as z.infer<S>, child)]);
        const waiting = waitingIn(child);
        if (paused && turn !== undefined && waiting.length > 0)
          throw new Waits(waiting.map((one) => ({ ...one, resumeId: "" })));
        if (said.status === "rejected") throw said.reason;
        return refusePlaceholder(said.value);
      });
      try {
        return await (signal ? until(signal, answer) : answer);
      } catch (error) {
        const cause = (error as { cause?: unknown } | undefined)?.cause;
        if (!(cause instanceof Waits) || turn === undefined) throw error;
        paused?.push(...cause.asks);
        return placeholder({ turn, asks: cause.asks });
      }
    };
  };
  const tool = { description, inputSchema, execute: bind("subagent", undefined) };
  brand(tool.execute, {
    kind: "spawn",
    name: undefined,
    session: undefined,
    definition: tool,
    bind,
  } satisfies Guarded);
  return { ...tool, ...marked(tool as Tool, "spawn") } as unknown as Tool<z.infer<S>, string>;
}
