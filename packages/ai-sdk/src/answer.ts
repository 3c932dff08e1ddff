import type {
  LanguageModelV4Content,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Json } from "@behest/delegation";

/**
 * A model's whole answer, in the one form that is journalled, whether it was generated or streamed.
 * Transport (headers, request and response bodies) is left out.
 */
export type Answer = Pick<
  LanguageModelV4GenerateResult,
  "content" | "finishReason" | "usage" | "providerMetadata" | "warnings" | "structuredOutputText" | "response"
>;

export function encodeAnswer(answer: Answer): object {
  const { content, finishReason, usage, providerMetadata, warnings, structuredOutputText, response } = answer;
  const { id, timestamp, modelId } = response ?? {};
  return {
    content,
    finishReason,
    usage,
    providerMetadata,
    warnings,
    structuredOutputText,
    response: { id, timestamp: timestamp?.toJSON(), modelId },
  };
}

/** Bytes come back as base64 text, which the SDK takes as well. */
export function decodeAnswer(json: Json): Answer {
  const answer = json as unknown as Answer;
  const { timestamp, ...response } = answer.response ?? {};
  const at = timestamp === undefined ? {} : { timestamp: new Date(timestamp) };
  return { ...answer, content: answer.content.map(withUrl), response: { ...response, ...at } };
}

function withUrl(part: LanguageModelV4Content): LanguageModelV4Content {
  if ((part.type !== "file" && part.type !== "reasoning-file") || part.data.type !== "url") return part;
  return { ...part, data: { ...part.data, url: new URL(part.data.url) } };
}

/** The parts that a stream of this answer would have: one delta a block. */
export function partsOf(answer: Answer): LanguageModelV4StreamPart[] {
  const { warnings, response, content, finishReason, usage } = answer;
  return [
    { type: "stream-start", warnings },
    { type: "response-metadata", ...response },
    ...content.flatMap((part, index) => streamed(part, String(index))),
    { type: "finish", finishReason, usage, ...metadataOf(answer) },
  ];
}

function streamed(part: LanguageModelV4Content, id: string): LanguageModelV4StreamPart[] {
  const metadata = metadataOf(part);
  switch (part.type) {
    case "text": {
      const citations = part.citations ? { citations: part.citations } : {};
      return [
        { type: "text-start", id, ...metadata },
        { type: "text-delta", id, delta: part.text },
        { type: "text-end", id, ...metadata, ...citations },
      ];
    }
    case "reasoning":
      return [
        { type: "reasoning-start", id, ...metadata },
        { type: "reasoning-delta", id, delta: part.text },
        { type: "reasoning-end", id, ...metadata },
      ];
    case "tool-call": {
      const { toolCallId, toolName, input, type: _, ...about } = part;
      return [
        { type: "tool-input-start", id: toolCallId, toolName, ...about },
        { type: "tool-input-delta", id: toolCallId, delta: input },
        { type: "tool-input-end", id: toolCallId },
        part,
      ];
    }
    default:
      return [part];
  }
}

type Metadata = Pick<Answer, "providerMetadata">;

export function metadataOf(part: object): { [K in keyof Metadata]-?: NonNullable<Metadata[K]> } | {} {
  const { providerMetadata } = part as Metadata;
  return providerMetadata ? { providerMetadata } : {};
}
