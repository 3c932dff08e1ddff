import type { ModelMessage } from "ai";
import type { LanguageModelV4Content, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { actionOf, mayAsk } from "@behest/core/adapter";
import type { Turn } from "./record.ts";

/**
 * A call that may come back from the history, after an approval, is told its turn and its action: provider metadata,
 * which travels with it, also to another process. Names, no proof: with another one it is another action.
 * `always`: the user's own setting may pause on any call.
 */
export function stamped<P extends LanguageModelV4Content | LanguageModelV4StreamPart>(
  part: P,
  { session, handle: { id: turn } }: Pick<Turn, "session" | "handle">,
  always: boolean,
): P {
  if (part.type !== "tool-call" || part.providerExecuted) return part;
  if (!always && !mayAsk(session, part.toolName)) return part;
  const behest = { turn, action: actionOf(session, turn, part.toolCallId) };
  return { ...part, providerMetadata: { ...part.providerMetadata, behest } };
}

/** The turn that a call in the history says it is of. */
export function stampOf(callId: string, messages: readonly ModelMessage[]): string | undefined {
  for (const { role, content } of messages.toReversed()) {
    if (role !== "assistant" || typeof content === "string") continue;
    const call = content
      .filter((part) => part.type === "tool-call")
      .find((part) => part.toolCallId === callId);
    if (!call) continue;
    return turnIn(call.providerOptions);
  }
  return undefined;
}

/** The turn that a call's provider options name. */
export function turnIn(
  options: { readonly [provider: string]: { readonly [name: string]: unknown } } | undefined,
): string | undefined {
  const turn = options?.["behest"]?.["turn"];
  return typeof turn === "string" ? turn : undefined;
}
