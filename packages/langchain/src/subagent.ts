import type { DelegateRequest, Session } from "@behest/core";
import { type Delegate as CoreDelegate, ambientSession, noSession, spawn } from "@behest/core/adapter";
import { type DynamicStructuredTool, type ToolRunnableConfig, tool } from "@langchain/core/tools";
import { isGraphInterrupt } from "@langchain/langgraph";
import type { z } from "zod";
import { type BodiedTool, callBody, withBody } from "./enforce.ts";
import { markSpawn } from "./offer.ts";
import { callOf, inside, sessionHere } from "./place.ts";
import { isWaiting } from "./waiting.ts";

type SubagentTool<N extends string, S extends z.ZodObject> = DynamicStructuredTool<
  S,
  z.infer<S>,
  z.input<S>,
  string,
  unknown,
  N
>;
type Delegate<I> = DelegateRequest | ((input: I) => DelegateRequest);

/**
 * A tool that starts a sub-agent under a narrower delegation. `delegate`: what the sub-agent may do, or a
 * function of the parsed arguments that says so. `run`: any framework; it runs inside the sub-agent's
 * session, which it is also given, and answers with the text for the parent's model. However often the
 * same call is made again, it is the same sub-agent, and once it has ended its answer is returned.
 * While something below it waits for a person the parent pauses at this call, and `run` is called again when it is
 * resumed; a graph inside goes on from its checkpoint, or replays what it did. The tool needs no grant of its own. A wider request is refused with `wider_than_parent`, arguments that
 * are not JSON with `args_not_json`: error tool messages, both.
 */
export function subagentTool<const N extends string, S extends z.ZodObject>(spec: {
  name: N;
  description: string;
  schema: S;
  delegate: Delegate<z.infer<S>>;
  run: (input: z.infer<S>, session: Session) => Promise<string>;
}): SubagentTool<N, S> {
  const { name, description, schema, delegate, run } = spec;
  const body = async (input: unknown): Promise<string> => {
    const session = ambientSession();
    if (!session) throw noSession(`"${name}"`);
    return run(input as z.infer<S>, session);
  };
  // tool() sets LangChain's own context for what runs inside: its callbacks, its thread, its signal.
  const plain = tool(body, { name, description, schema }) as unknown as BodiedTool;
  const spawning = withBody(plain, (parsed, manager, config) =>
    spawned(plain, parsed, config, delegate as Delegate<unknown>, (input, inner) =>
      Promise.resolve(callBody(plain, input, manager, inner) as Promise<string>),
    ),
  );
  return markSpawn(spawning as unknown as SubagentTool<N, S>);
}

/** Starts the sub-agent of a call. `run` gets the frozen arguments, and a config with the child's signal. */
export async function spawned(
  { name }: BodiedTool,
  parsed: unknown,
  config: ToolRunnableConfig | undefined,
  delegate: Delegate<unknown>,
  run: (input: unknown, config: ToolRunnableConfig) => Promise<string>,
): Promise<string> {
  const session = sessionHere(`"${name}"`, config?.configurable);
  const call = { tool: name, args: parsed, ...callOf(config), signal: config?.signal };
  return spawn(session, call, delegate as CoreDelegate, ({ signal }, args) =>
    inside(undefined, () => run(args, { ...config, signal })),
  ).catch((error: unknown) => {
    // A graph below that paused by itself is resumed from its own checkpoint.
    throw isWaiting(error) && isGraphInterrupt(error.cause) ? error.cause : error;
  });
}
