import type { Tool } from "ai";
import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { asSchema, safeValidateTypes } from "@ai-sdk/provider-utils";
import { BehestError, type Session } from "@behest/core";
import { actionOf, comeOf, mayAsk } from "@behest/core/adapter";
import { toJson } from "./json.ts";
import { type Guarded, brandOf } from "./mark.ts";
import { readPlaceholder } from "./pause.ts";
import { turnIn } from "./stamp.ts";
import { type Loop, messagesOf } from "./step.ts";

type Part<R extends "assistant" | "tool", T extends string> = Extract<
  Extract<LanguageModelV4Prompt[number], { role: R }>["content"][number],
  { type: T }
>;
export type Call = Part<"assistant", "tool-call">;
export type Result = Part<"tool", "tool-result">;
export type Output = Result["output"];

/** Where a prompt is looked through. */
export interface Around {
  readonly session: Session;
  /** Guarded, by name. */
  readonly bodies: ReadonlyMap<string, Tool>;
  readonly loop: Loop;
  readonly abortSignal: AbortSignal | undefined;
}

/**
 * What has become of a call that, when this result was written, waited for persons; undefined where the result is what
 * it is. The store tells. What was approved, or is a sub-agent, is begun again, and its records keep it from doing
 * anything twice; what still waits is added to the loop's asks.
 */
export async function outcomeOf(result: Result, call: Call, around: Around): Promise<Output | undefined> {
  const { session, bodies, loop } = around;
  const { toolCallId, toolName, output } = result;
  const tool = bodies.get(toolName);
  const kind = tool?.execute && brandOf<Guarded>(tool.execute)?.kind;
  if (!tool || !kind) return undefined;
  if (kind === "spawn") {
    const waiting = output.type === "text" ? readPlaceholder(output.value) : undefined;
    return waiting && again(waiting.turn);
  }
  const turn = turnIn(call.providerOptions);
  if (!output.type.startsWith("error") || turn === undefined || !mayAsk(session, toolName)) return undefined;
  const approval = actionOf(session, turn, toolCallId);
  switch (await comeOf(session, approval)) {
    case "granted":
    case "spent":
      return again(turn);
    case "waiting":
      if (loop.asks.every((ask) => ask.approval !== approval))
        loop.asks.push({ approval, resumeId: "", tool: toolName });
      return undefined;
    case "denied":
      return { type: "execution-denied", reason: "A person has denied it." };
    case "expired":
      return { type: "execution-denied", reason: "Nobody approved it in time." };
    default:
      return undefined;
  }

  function again(of: string): Promise<Output | undefined> {
    const key = `${of}\n${toolCallId}`;
    const outcome = loop.outcomes.get(key) ?? rerun(tool!, call, messagesOf(of, loop), around);
    loop.outcomes.set(key, outcome);
    return outcome;
  }
}

/** As the SDK runs a tool, and words its result for the model. Undefined where it ran and failed: that was told. */
async function rerun(
  tool: Tool,
  { input, toolCallId, toolName }: Call,
  messages: ReturnType<typeof messagesOf>,
  { loop, abortSignal }: Around,
): Promise<Output | undefined> {
  try {
    const options = { toolCallId, messages, ...(abortSignal && { abortSignal }) };
    const context = await contextOf(tool, loop.toolsContext?.[toolName]);
    const output = await lastOf(await tool.execute!(input, { ...options, context }));
    if (tool.toModelOutput) return (await tool.toModelOutput({ toolCallId, input, output })) as Output;
    return typeof output === "string"
      ? { type: "text", value: output }
      : { type: "json", value: toJson(output) as never };
  } catch (error) {
    if (BehestError.isInstance(error) && error.code === "already_done") return undefined;
    return { type: "error-text", value: String(error) };
  }
}

async function contextOf({ contextSchema }: Tool, value: unknown): Promise<unknown> {
  if (!contextSchema) return value;
  const validated = await safeValidateTypes({ value, schema: asSchema(contextSchema) });
  if (validated.success) return validated.value;
  throw new TypeError("the tool's context does not match its schema.");
}

/** What a body has answered, streaming or not. */
export async function lastOf(output: unknown): Promise<unknown> {
  if (typeof output !== "object" || output === null || !(Symbol.asyncIterator in output)) return output;
  let last: unknown;
  for await (const value of output as AsyncIterable<unknown>) last = value;
  return last;
}
