import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Json } from "@behest/delegation";
import { toJson } from "./json.ts";

type Part = Exclude<LanguageModelV4Message["content"], string>[number];

/** What a model is given, as the journal knows it: without provider options, which carry ids of the answer they came with. */
export function journalled(prompt: LanguageModelV4Prompt): readonly object[] {
  return prompt.map(({ role, content }) => ({
    role,
    content: typeof content === "string" ? content : content.map(withoutOptions),
  }));
}

function withoutOptions(part: Part): Part {
  if (part.providerOptions === undefined) return part;
  const { providerOptions: _, ...rest } = part;
  return rest as Part;
}

export function systemOf(prompt: LanguageModelV4Prompt): Json | undefined {
  const system = prompt.flatMap((message) => (message.role === "system" ? [toJson(message.content)] : []));
  return system.length > 0 ? system : undefined;
}

/** Our stamps are for the history, not for the provider. */
export function unstamped(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  return prompt.map((message) =>
    typeof message.content !== "string" && message.content.some(isStamped)
      ? ({ ...message, content: message.content.map(withoutStamp) } as LanguageModelV4Message)
      : message,
  );
}

function isStamped({ providerOptions }: Part): boolean {
  return providerOptions !== undefined && "behest" in providerOptions;
}

function withoutStamp(part: Part): Part {
  if (!isStamped(part)) return part;
  const { behest: _, ...own } = part.providerOptions!;
  const { providerOptions: __, ...rest } = part;
  return (Object.keys(own).length > 0 ? { ...rest, providerOptions: own } : rest) as Part;
}
