import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { type Around, type Call, type Output, type Result, outcomeOf } from "./past.ts";

type ToolPart = Extract<LanguageModelV4Prompt[number], { role: "tool" }>["content"][number];

/**
 * The prompt of a run that had waited, as if it had not: of each call only its last result, and in place of a result
 * that says that it waits what has become of it. Where something still waits the prompt is not used.
 */
export async function settled(prompt: LanguageModelV4Prompt, around: Around): Promise<LanguageModelV4Prompt> {
  const last = lastResults(prompt);
  const outputs = new Map<ToolPart, Output>();
  await Promise.all(
    [...last].map(async ([result, call]) => {
      const output = call && (await outcomeOf(result, call, around));
      if (output) outputs.set(result, output);
    }),
  );
  const isLast = (part: ToolPart): boolean => part.type !== "tool-result" || last.has(part);
  if (outputs.size === 0 && prompt.every(({ role, content }) => role !== "tool" || content.every(isLast)))
    return prompt;
  return prompt.flatMap((message): LanguageModelV4Prompt => {
    if (message.role !== "tool") return [message];
    const content = message.content
      .filter(isLast)
      .map((part) => (outputs.has(part) ? ({ ...part, output: outputs.get(part)! } as Result) : part));
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}

/** The last result of each call, with the call. Ids may come again in a later turn. */
function lastResults(prompt: LanguageModelV4Prompt): Map<Result, Call | undefined> {
  const last = new Map<Result, Call | undefined>();
  const open = new Map<string, Result>();
  for (const { role, content } of prompt.toReversed()) {
    if (role !== "tool" && role !== "assistant") continue;
    for (const part of content.toReversed()) {
      if (part.type === "tool-result" && role === "tool" && !open.has(part.toolCallId)) {
        open.set(part.toolCallId, part);
        last.set(part, undefined);
      }
      if (part.type !== "tool-call") continue;
      const result = open.get(part.toolCallId);
      if (result) last.set(result, part);
      open.delete(part.toolCallId);
    }
  }
  return last;
}
