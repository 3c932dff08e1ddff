import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { Execute } from "./mark.ts";
import { type Placeholder, readPlaceholder } from "./pause.ts";
import { type Loop, messagesOf } from "./step.ts";

type ToolPart = Extract<LanguageModelV4Prompt[number], { role: "tool" }>["content"][number];
type Result = Extract<ToolPart, { type: "tool-result" }>;
type Output = Result["output"];

/**
 * The prompt of a run that had waited, as if it had not: of a call that was taken up again only its last result, and
 * in place of a sub-agent that waits its answer. For that it is started again, and its records keep it from doing
 * anything twice. What still waits is added to the loop's asks, and then the prompt is not used.
 */
export async function settled(
  { prompt, abortSignal }: Pick<LanguageModelV4CallOptions, "prompt" | "abortSignal">,
  spawns: ReadonlyMap<string, Execute>,
  loop: Loop,
): Promise<LanguageModelV4Prompt> {
  const last = lastResults(prompt);
  const waiting = [...last].flatMap(([result, input]) => {
    const found = spawns.has(result.toolName) ? placeholderIn(result.output) : undefined;
    return found ? [{ result, input, found }] : [];
  });
  const isSame = prompt.every(
    ({ role, content }) => role !== "tool" || content.every((p) => isLast(p, last)),
  );
  if (isSame && waiting.length === 0) return prompt;
  const outputs = new Map<ToolPart, Output>();
  await Promise.all(
    waiting.map(async ({ result, input, found }) => {
      const key = `${found.turn}\n${result.toolCallId}`;
      const again = loop.outcomes.get(key) ?? rerun(spawns.get(result.toolName)!, input, result, found);
      loop.outcomes.set(key, again);
      outputs.set(result, await again);
    }),
  );
  return prompt.flatMap((message): LanguageModelV4Prompt => {
    if (message.role !== "tool") return [message];
    const content = message.content
      .filter((part) => isLast(part, last))
      .map((part) => (outputs.has(part) ? ({ ...part, output: outputs.get(part)! } as Result) : part));
    return content.length > 0 ? [{ ...message, content }] : [];
  });

  async function rerun(
    execute: Execute,
    input: unknown,
    { toolCallId }: Result,
    { turn }: Placeholder,
  ): Promise<Output> {
    const options = { toolCallId, messages: messagesOf(turn, loop), context: undefined };
    try {
      const value = await execute(input, { ...options, ...(abortSignal && { abortSignal }) });
      return { type: "text", value: String(value) };
    } catch (error) {
      return { type: "error-text", value: String(error) };
    }
  }
}

/** The last result of each call, with the call's input. Ids may come again in a later turn. */
function lastResults(prompt: LanguageModelV4Prompt): Map<Result, unknown> {
  const last = new Map<Result, unknown>();
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
      if (result) last.set(result, part.input);
      open.delete(part.toolCallId);
    }
  }
  return last;
}

function isLast(part: ToolPart, last: ReadonlyMap<Result, unknown>): boolean {
  return part.type !== "tool-result" || last.has(part);
}

function placeholderIn(output: Output): Placeholder | undefined {
  return output.type === "text" ? readPlaceholder(output.value) : undefined;
}
