import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Json } from "@behest/delegation";
import { toJson } from "./json.ts";

type Part = Exclude<LanguageModelV4Message["content"], string>[number];

/** What a model is given, as the journal knows it: without provider options, which carry ids of the answer they came with. */
export function journalled(prompt: LanguageModelV4Prompt): readonly object[] {
  if (!hasOptions(prompt)) return prompt;
  return prompt.map(({ role, content }) => ({
    role,
    content: typeof content === "string" ? content : content.map(withoutOptions),
  }));
}

function withoutOptions({ providerOptions: _, ...part }: Part): object {
  return part;
}

/** Most prompts have none, and are long: they are looked through once, and not copied. */
function hasOptions(prompt: LanguageModelV4Prompt): boolean {
  for (const { content, providerOptions } of prompt) {
    if (providerOptions !== undefined) return true;
    if (typeof content === "string") continue;
    for (const part of content) if (part.providerOptions !== undefined) return true;
  }
  return false;
}

export function systemOf(prompt: LanguageModelV4Prompt): Json | undefined {
  const system: Json[] = [];
  for (const { role, content } of prompt) if (role === "system") system.push(toJson(content));
  return system.length > 0 ? system : undefined;
}

/** Our stamps are for the history, not for the provider. */
export function unstamped(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  if (!hasOptions(prompt)) return prompt;
  return prompt.map((message) =>
    typeof message.content === "string"
      ? message
      : ({ ...message, content: message.content.map(withoutStamp) } as LanguageModelV4Message),
  );
}

function withoutStamp(part: Part): Part {
  if (!part.providerOptions || !("behest" in part.providerOptions)) return part;
  const { behest: _, ...own } = part.providerOptions;
  const { providerOptions: __, ...rest } = part;
  return (Object.keys(own).length > 0 ? { ...rest, providerOptions: own } : rest) as Part;
}
