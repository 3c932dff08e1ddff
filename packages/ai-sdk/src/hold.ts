import type { LanguageModelV4StreamPart as Part } from "@ai-sdk/provider";
import type { Session } from "@behest/core";
import { mayAsk } from "@behest/core/adapter";

/**
 * Keeps back what a stream says from the first call that persons may have to approve until it has said all: the SDK
 * asks about a call as soon as it sees it, and by then its turn must stand. The order stays; of a stream that breaks
 * off, what was kept back is lost with the turn.
 */
export function holding(session: Session): (part: Part) => Part[] {
  const held: Part[] = [];
  return (part) => {
    if (part.type === "finish") return [...held.splice(0), part];
    const isFirst = part.type === "tool-call" && mayAsk(session, part.toolName);
    if (held.length === 0 && !isFirst) return [part];
    held.push(part);
    return [];
  };
}
