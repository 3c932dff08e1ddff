import { BehestError, type Session } from "@behest/core";
import { aroundRun, holdRun } from "@behest/core/adapter";
import { ToolMessage } from "@langchain/core/messages";
import { isGraphBubbleUp } from "@langchain/langgraph";
import { MiddlewareError, ToolInvocationError, createMiddleware } from "langchain";
import { denialMessage, isDenial } from "./denial.ts";
import { journalled } from "./journal.ts";
import { offered, report } from "./offer.ts";
import { sessionHere, throughGate } from "./place.ts";
import { sampling } from "./sampling.ts";
import type { Gate, Hooks } from "./seal.ts";
import { untilGraphEnds } from "./stream.ts";
import { type Mailbox, pause } from "./waiting.ts";

type WrapToolCall = NonNullable<Gate["wrapToolCall"]>;
type Answer = Awaited<ReturnType<WrapToolCall>>;

export interface GateOptions {
  /** A tool of the framework that starts sub-agents: always offered. */
  readonly spawnTool?: string | undefined;
  /** What the seal does, where no middleware stands between the two: LangChain spends time on each that has hooks. */
  readonly within?: Hooks | undefined;
  /** Another middleware wraps tool calls: then LangChain lets a tool's exception end the run. */
  readonly fatal: boolean;
}

/** The outer half: sees each model call first, and each tool call's outcome last. */
export function gate({ spawnTool, within, fatal }: GateOptions): Gate {
  aroundRun(untilGraphEnds);
  const middleware = createMiddleware({
    name: "behest",
    wrapModelCall(request, handler) {
      const session = sessionHere("a model", request.runtime.configurable);
      report(session, request.tools);
      const tools = offered(session, request.tools, spawnTool);
      const asked = { ...request, tools };
      return journalled(session, request, async (turn) =>
        within ? within.wrapModelCall(asked, handler, turn) : sampling.run(turn, async () => handler(asked)),
      );
    },
    async wrapToolCall(request, handler) {
      const { toolCall, runtime } = request;
      const session = sessionHere(`"${toolCall.name}"`, runtime.configurable);
      const mailbox: Mailbox = {};
      const result = await throughGate(mailbox, () => called(session, request, handler));
      return mailbox.waiting ? pause(session, mailbox.waiting) : result;
    },
  }) as Gate;
  gates.add(middleware);
  return middleware;

  async function called(session: Session, ...call: Parameters<WrapToolCall>): Promise<Answer> {
    const [request, handler] = call;
    const { toolCall, runtime } = request;
    try {
      return await (within ? within.wrapToolCall(request, handler) : handler(request));
    } catch (error) {
      if (isDenial(error)) return denialMessage(error, toolCall, toolCall.name);
      const stopped = runtime.signal?.aborted === true || session.signal.aborted;
      // A pause: the run is taken up again, in another `session.run`.
      if (isGraphBubbleUp(error)) holdRun()(true);
      if (fatal || stopped || isGraphBubbleUp(error) || isOurs(error)) throw error;
      // Without a middleware LangChain tells the model of a tool's exception, in these words.
      return new ToolMessage({
        content: `${error}\n Please fix your mistakes.`,
        tool_call_id: toolCall.id!,
        name: toolCall.name,
        status: "error",
      });
    }
  }
}

const gates: WeakSet<object> = new WeakSet();

export function isGate(middleware: object): boolean {
  return gates.has(middleware);
}

/** LangChain words its own parsing errors, once it gets them; ours end the run. */
function isOurs(error: unknown): boolean {
  let cause = error;
  while (MiddlewareError.isInstance(cause)) cause = cause.cause;
  return ToolInvocationError.isInstance(cause) || BehestError.isInstance(cause);
}
