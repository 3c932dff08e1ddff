import type { Tool, ToolExecutionOptions } from "ai";
import type { Session } from "@behest/core";
import { callTool, isNested } from "@behest/core/adapter";
import type { Execute } from "./mark.ts";
import { noteWaiting } from "./pause.ts";
import { relay } from "./relay.ts";
import { sessionFor } from "./session.ts";
import { turnOf } from "./step.ts";

type Options = ToolExecutionOptions<unknown>;

/** A tool's own body. `definition` is what carries its profile. */
export interface Body {
  readonly tool: Tool;
  readonly execute: Execute;
  readonly definition: object;
}

/** The body behind the gate: decided and recorded before it starts, run with the frozen arguments. */
export function guardExecute(body: Body, name: string, explicit: Session | undefined): Execute {
  const begin = async (
    session: Session,
    input: unknown,
    options: Options,
    { nested, left, emit }: { nested: boolean; left?: AbortSignal; emit?: Emit },
  ): Promise<unknown> => {
    // Whoever calls a tool by hand may leave the messages out, whatever their type says.
    const { toolCallId: callId, abortSignal } = options;
    const { messages = [] } = options as Partial<Options>;
    const turn = await turnOf(callId, messages);
    const signal = left && abortSignal ? AbortSignal.any([left, abortSignal]) : (left ?? abortSignal);
    const { definition } = body;
    // Of a call without a turn nobody could say, when it comes again, that it is the one that was approved.
    const waits = !nested && turn !== undefined;
    const call = { tool: name, args: input, callId, turn, definition, waits, signal };
    try {
      return await callTool(session, call, async (args, { signal: joined }) => {
        const result = body.execute.call(body.tool, args, { ...options, abortSignal: joined });
        return isAsyncIterable(result) ? drain(result, joined, emit) : result;
      });
    } catch (error) {
      noteWaiting(error, callId, messages);
      throw error;
    }
  };
  // What the SDK is handed must be an async iterable at once, before anything is decided: only a generator
  // function says beforehand that it will be one.
  if (!isAsyncGenerator(body.execute))
    return async (input, options) => {
      const session = sessionFor(explicit, `"${name}"`);
      return begin(session, input, options, { nested: isNested(session) });
    };
  return (input, options) => {
    // Now, not when it is pulled: whoever pulls may be in another session.
    const session = sessionFor(explicit, `"${name}"`);
    const nested = isNested(session);
    return relay((emit, left) => begin(session, input, options, { nested, emit, left }));
  };
}

type Emit = (value: unknown) => Promise<void>;

/** Takes value after value until the signal fires; the last one is the result. Closes the source in any case. */
async function drain(
  source: AsyncIterable<unknown>,
  signal: AbortSignal,
  emit: Emit | undefined,
): Promise<unknown> {
  let last: unknown;
  for await (const value of source) {
    signal.throwIfAborted();
    last = value;
    if (!emit) continue;
    await emit(value);
    signal.throwIfAborted();
  }
  return last;
}

function isAsyncGenerator(execute: Execute): boolean {
  return Object.prototype.toString.call(execute) === "[object AsyncGeneratorFunction]";
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
