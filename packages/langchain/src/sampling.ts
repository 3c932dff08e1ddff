import { AsyncLocalStorage } from "node:async_hooks";
import type { AIMessage, SystemMessage } from "@langchain/core/messages";
import type { Generation } from "@langchain/core/outputs";
import type { ModelRequest } from "langchain";

/** One turn of a model on its way from the gate to the seal and back. */
export interface Sampling {
  /** Recorded before: the seal hands this back instead of asking. */
  readonly replay?: AIMessage;
  /** What the model was asked, as the seal saw it: after all middleware. */
  asked?: {
    readonly model: ModelRequest["model"];
    readonly system: SystemMessage;
    readonly tools: ModelRequest["tools"];
  };
  /** What this turn's model answered and was not chosen. */
  alternatives?: readonly Generation[];
}

export const sampling: AsyncLocalStorage<Sampling> = new AsyncLocalStorage();
