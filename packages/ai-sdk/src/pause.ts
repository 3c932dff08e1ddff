import type { ModelMessage } from "ai";
import { type Ask, BehestError } from "@behest/core";
import type { Answer } from "./answer.ts";
import { loopOf } from "./step.ts";

// What a call that the SDK has taken up again still waits for, by the messages it came from: the first step of
// that loop has not begun yet.
const resumed: WeakMap<readonly ModelMessage[], Ask[]> = new WeakMap();

/**
 * Where a body that may not run yet says so: the loop of these messages answers its next model call with an
 * {@link emptyTurn}. Undefined where nothing would read it.
 */
export function asksAt(messages: readonly ModelMessage[]): Ask[] | undefined {
  const loop = loopOf(messages);
  if (loop) return loop.asks;
  if (responses(messages).length === 0) return undefined;
  const asks = resumed.get(messages) ?? [];
  resumed.set(messages, asks);
  return asks;
}

/** What the calls that the SDK took up again, before the first step of this loop, still wait for. */
export function resumedAsks(messages: readonly ModelMessage[]): readonly Ask[] {
  return resumed.get(messages) ?? [];
}

/** A call that was taken up again and still waits: its run pauses again, and its request stays as it was. */
export function noteWaiting(error: unknown, callId: string, messages: readonly ModelMessage[]): void {
  if (!BehestError.isInstance(error) || !error.waiting || loopOf(messages)) return;
  const resumeId = requestOf(callId, messages);
  if (resumeId !== undefined) asksAt(messages)?.push({ ...error.waiting, resumeId });
}

function responses(messages: readonly ModelMessage[]): string[] {
  const last = messages.at(-1);
  if (last?.role !== "tool") return [];
  return last.content.flatMap((part) => (part.type === "tool-approval-response" ? [part.approvalId] : []));
}

function requestOf(callId: string, messages: readonly ModelMessage[]): string | undefined {
  const answered = new Set(responses(messages));
  for (const { role, content } of messages.toReversed()) {
    if (role !== "assistant" || typeof content === "string") continue;
    for (const part of content)
      if (
        part.type === "tool-approval-request" &&
        part.toolCallId === callId &&
        answered.has(part.approvalId)
      )
        return part.approvalId;
  }
  return undefined;
}

/** Ends a loop that waits, without a throw: no text, no calls, and the model is not asked. */
export function emptyTurn(asks: readonly Ask[]): Answer {
  return {
    content: [],
    finishReason: { unified: "other", raw: "behest-waiting" },
    usage: {
      inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 0, text: 0, reasoning: 0 },
    },
    providerMetadata: { behest: { asks: asks.map((ask) => ({ ...ask })) } },
    warnings: [],
  };
}

/** What stands for the answer of a sub-agent that waits. */
export interface Placeholder {
  /** The model turn that started it. */
  readonly turn: string;
  readonly asks: readonly Ask[];
}

const PLACEHOLDER = "behest-waiting:";

export function placeholder({ turn, asks }: Placeholder): string {
  return `${PLACEHOLDER}${JSON.stringify({ turn, asks })}`;
}

/** Throws where a sub-agent's own answer looks like a placeholder: what it says must not start anything. */
export function refusePlaceholder(answer: string): string {
  if (answer.startsWith(PLACEHOLDER)) throw new TypeError("the sub-agent's answer is not one.");
  return answer;
}

export function readPlaceholder(text: unknown): Placeholder | undefined {
  if (typeof text !== "string" || !text.startsWith(PLACEHOLDER)) return undefined;
  try {
    const { turn, asks } = JSON.parse(text.slice(PLACEHOLDER.length)) as Partial<Placeholder>;
    return typeof turn === "string" && Array.isArray(asks) ? { turn, asks } : undefined;
  } catch {
    return undefined;
  }
}
