import { randomUUID } from "node:crypto";
import type { Session } from "@behest/core";
import type { Json } from "@behest/delegation";
import { type TurnRecord, openTurn } from "@behest/core/adapter";
import { AIMessage, type BaseMessage, type StoredMessage } from "@langchain/core/messages";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import type { ModelRequest } from "langchain";
import { fromStored } from "./codec.ts";
import { modelName } from "./model.ts";
import { ordinalOf } from "./place.ts";
import type { Sampling } from "./sampling.ts";

/**
 * One model turn, from the journal if it was recorded before: then `ask` is given the message to hand
 * back, so that what LangChain and other middleware do with an answer happens again, without asking. A
 * replayed turn streams no tokens. Fresh turns are durable before their tools start.
 */
export async function journalled(
  session: Session,
  request: ModelRequest,
  ask: (turn: Sampling) => Promise<unknown>,
): Promise<AIMessage> {
  const key = {
    ordinal: ordinalOf(request.runtime.configurable),
    messages: request.messages.map((message) => given(message)),
    json: asJson,
  };
  const opened = await openTurn(session, key);
  if (opened.replay !== undefined) {
    const replay = fromStored(opened.replay as unknown as StoredMessage) as AIMessage;
    const answer = await ask({ replay });
    const again = messageOf(answer);
    // What was decided then is what counts, whatever other middleware makes of it now.
    return again && again.id !== replay.id ? replay : (answer as AIMessage);
  }
  const turn: Sampling = {};
  const answer = await ask(turn).catch((error: unknown) => {
    opened.abandon();
    throw error;
  });
  const message = messageOf(answer);
  if (message) {
    // Tools name their turn by this id, also after a restart; so it must exist before it is recorded.
    if (message.id === undefined) message._updateId(randomUUID());
    await opened.record({ ...recordOf(turn, message), id: message.id! });
  }
  return answer as AIMessage;
}

/** With a `responseFormat`, LangChain puts the parsed value beside the messages. */
function messageOf(answer: unknown): AIMessage | undefined {
  if (AIMessage.isInstance(answer)) return answer;
  return (answer as { messages?: BaseMessage[] }).messages?.find((message) => AIMessage.isInstance(message));
}

/** A message as the model is given it; ids differ from one asking to the next. */
function given(message: BaseMessage): object {
  const { type, content, name } = message;
  const { tool_calls: calls, tool_call_id } = message as { tool_calls?: unknown[]; tool_call_id?: string };
  return { type, content, name, tool_calls: calls?.length ? calls : undefined, tool_call_id };
}

/** An answer as LangChain stores it ({@link StoredMessage}); its own way there writes for Python too, and is dear. */
function stored(message: AIMessage): object {
  const { content, id, name, tool_calls, invalid_tool_calls, usage_metadata } = message;
  const { additional_kwargs, response_metadata } = message;
  const data = {
    content,
    id,
    name,
    tool_calls,
    invalid_tool_calls,
    usage_metadata,
    additional_kwargs,
    response_metadata,
  };
  return { type: "ai", data };
}

/** JSON as it stands in storage: what JSON cannot say is left out. */
function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function recordOf({ asked, alternatives = [] }: Sampling, message: AIMessage): TurnRecord {
  const plain = typeof message.content === "string" && Object.keys(message.additional_kwargs).length === 0;
  const reasoning = plain ? [] : message.contentBlocks.filter(({ type }) => type === "reasoning");
  const calls = (message.tool_calls ?? []).filter(({ name }) => !name.startsWith("extract-"));
  return {
    ...modelName(asked?.model, message),
    ...(asked && asked.system.content.length > 0 && { system: asJson(asked.system.content) }),
    tools: (asked?.tools ?? []).map(described),
    response: stored(message),
    ...(alternatives.length > 0 && { alternatives: asJson(alternatives) }),
    ...(reasoning.length > 0 && { reasoning: asJson(reasoning) }),
    calls: calls.map(({ id, name }) => ({ callId: id ?? "", tool: name })),
  };
}

interface Described {
  readonly schema: unknown;
  readonly text: unknown;
  readonly as: Json;
}

const descriptions: WeakMap<object, Described> = new WeakMap();

/** A tool as providers are told of it now. Converting a schema is dear, and done once for each. */
function described(tool: ModelRequest["tools"][number]): Json {
  if (!("schema" in tool)) return asJson(tool);
  const { schema, description: text } = tool as { schema: unknown; description?: unknown };
  const known = descriptions.get(tool);
  if (known && known.schema === schema && known.text === text) return known.as;
  const as = asJson(convertToOpenAITool(tool as never));
  descriptions.set(tool, { schema, text, as });
  return as;
}
