import { BehestError } from "@behest/core";
import { ToolMessage } from "@langchain/core/messages";

/** A refusal, or a receipt, that is worded for the model: the loop goes on without the call. */
export function isDenial(error: unknown): error is BehestError {
  return BehestError.isInstance(error) && (error.name === "BehestDenied" || error.deferred !== undefined);
}

/** The tool result that tells the model of a refusal, `BehestDenied: …`, or of what is done later, `BehestDeferred: …`. */
export function denialMessage(error: BehestError, call: { readonly id?: string }, tool: string): ToolMessage {
  return new ToolMessage({
    content: String(error),
    tool_call_id: call.id ?? "",
    name: tool,
    status: error.deferred ? "success" : "error",
  });
}
