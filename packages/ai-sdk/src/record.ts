import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Session } from "@behest/core";
import { type TurnHandle, refuse } from "@behest/core/adapter";
import { type Answer, encodeAnswer } from "./answer.ts";
import { toJson } from "./json.ts";
import { systemOf } from "./prompt.ts";
import type { Step } from "./step.ts";
import { until } from "./until.ts";

/** One call of the model. */
export interface Turn {
  readonly session: Session;
  /** Whether there is a tool of this name. */
  readonly isTool: (name: string) => boolean;
  readonly step: Step;
  readonly handle: TurnHandle;
  /** The framework's and the session's. */
  readonly signal: AbortSignal;
  /** What the model behind is asked with. */
  readonly options: LanguageModelV4CallOptions;
}

/** An answer that was cut off, or that is an error, is not one to be given again. */
function isWhole(answer: Answer | undefined): answer is Answer {
  return (
    answer !== undefined &&
    answer.finishReason.unified !== "error" &&
    answer.finishReason.unified !== "interrupted"
  );
}

export function endsLoop(answer: Answer | undefined): boolean {
  return isWhole(answer) && answer.content.every(({ type }) => type !== "tool-call");
}

export async function record(
  { handle, step, options, session, isTool }: Turn,
  model: LanguageModelV4,
  answer: Answer | undefined,
): Promise<void> {
  if (!isWhole(answer)) {
    // Its calls belong to no turn that stands.
    delete step.turn;
    return handle.abandon();
  }
  const { content, response } = answer;
  const reasoning = content.flatMap((part) => (part.type === "reasoning" ? [part.text] : []));
  const system = systemOf(options.prompt);
  const turn = {
    model: response?.modelId ?? model.modelId,
    provider: model.provider,
    tools: options.tools ?? [],
    response: encodeAnswer(answer),
    calls: content.flatMap((p) =>
      p.type === "tool-call" ? [{ callId: p.toolCallId, tool: p.toolName }] : [],
    ),
    ...(system !== undefined && { system }),
    ...(reasoning.length > 0 && { reasoning: toJson(reasoning) }),
  };
  await handle.record(turn);
  // The SDK tells the model of a tool that there is not, and no body ever hears of it.
  for (const part of content) {
    if (part.type !== "tool-call" || part.providerExecuted || isTool(part.toolName)) continue;
    const call = { tool: "", args: part.input, callId: part.toolCallId, turn: handle.id };
    await refuse(session, call, "tool_not_granted", "this agent has no such tool.");
  }
}

/** What the model answers, unless the signal fires first. A question that it failed to answer may be asked again. */
export async function answered<T>({ signal, handle }: Turn, ask: () => PromiseLike<T>): Promise<T> {
  try {
    return await until(signal, ask());
  } catch (error) {
    handle.abandon();
    throw error;
  }
}
