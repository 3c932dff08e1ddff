import type { LanguageModelV4Content, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { type Answer, metadataOf } from "./answer.ts";

/** Put together from the parts of a stream, as they pass. */
export interface Collector {
  add(part: LanguageModelV4StreamPart): void;
  /** Undefined until the model has said that it is done. */
  answer(): Answer | undefined;
}

export function collectAnswer(): Collector {
  type Block = Extract<LanguageModelV4Content, { type: "text" | "reasoning" }>;
  const content: LanguageModelV4Content[] = [];
  const blocks = new Map<string, Block>();
  const about: Partial<Answer> = {};
  return {
    add(part) {
      switch (part.type) {
        case "text-start":
        case "reasoning-start": {
          const type = part.type === "text-start" ? "text" : "reasoning";
          const block: Block = { type, text: "", ...metadataOf(part) };
          blocks.set(`${type} ${part.id}`, block);
          content.push(block);
          return;
        }
        case "text-delta":
        case "reasoning-delta": {
          const block = blocks.get(`${part.type === "text-delta" ? "text" : "reasoning"} ${part.id}`);
          if (block) Object.assign(block, { text: block.text + part.delta }, metadataOf(part));
          return;
        }
        case "text-end":
        case "reasoning-end": {
          const block = blocks.get(`${part.type === "text-end" ? "text" : "reasoning"} ${part.id}`);
          const citations = part.type === "text-end" && part.citations ? { citations: part.citations } : {};
          if (block) Object.assign(block, metadataOf(part), citations);
          return;
        }
        case "tool-call":
        case "tool-result":
        case "tool-approval-request":
        case "file":
        case "reasoning-file":
        case "source":
        case "custom":
          content.push(part);
          return;
        case "stream-start":
          about.warnings = part.warnings;
          return;
        case "response-metadata": {
          const { type: _, ...response } = part;
          about.response = response;
          return;
        }
        case "finish":
          about.finishReason = part.finishReason;
          about.usage = part.usage;
          if (part.providerMetadata) about.providerMetadata = part.providerMetadata;
          return;
        default:
          return;
      }
    },
    answer() {
      const { finishReason, usage } = about;
      return finishReason && usage && { warnings: [], ...about, finishReason, usage, content };
    },
  };
}
