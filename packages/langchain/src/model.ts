import type { AIMessage } from "@langchain/core/messages";
import { RunnableBinding, RunnableLambda } from "@langchain/core/runnables";
import type { ModelRequest } from "langchain";

type Model = ModelRequest["model"];

interface ChatModel {
  getLsParams?(options: object): { ls_provider?: string; ls_model_name?: string };
  getName?(): string;
}

/** What answered: as the answer says, else as the model says of itself. */
export function modelName(model: Model | undefined, answer: AIMessage): { model: string; provider: string } {
  const chat: ChatModel | undefined = RunnableBinding.isRunnableBinding(model)
    ? (model.bound as ChatModel)
    : (model as ChatModel | undefined);
  const said: unknown = answer.response_metadata["model_name"];
  const params = chat?.getLsParams?.({});
  return {
    model: typeof said === "string" ? said : (params?.ls_model_name ?? chat?.getName?.() ?? "unknown"),
    provider: params?.ls_provider ?? "unknown",
  };
}

/** Whether a model was told to answer with more than one candidate (`n`, as OpenAI's and others call it). */
export function answersMore(model: Model, settings: ModelRequest["modelSettings"]): boolean {
  const bound = RunnableBinding.isRunnableBinding(model)
    ? [model.bound, model.kwargs, model.config]
    : [model];
  return [...bound, settings].some((said) => Number((said as { n?: unknown } | undefined)?.n) > 1);
}

/**
 * The model, but with its answer known: LangChain binds tools to it as ever and gets the answer without
 * anybody being asked. A model, so that a `responseFormat` is handled as it was with the real one.
 * Undefined for what is no chat model, nor a binding of one.
 */
export function answering(model: Model, answer: AIMessage): Model | undefined {
  if (RunnableBinding.isRunnableBinding(model)) {
    const bound = answering(model.bound as Model, answer);
    return bound && (Object.create(model, { bound: { value: bound } }) as Model);
  }
  if (!("bindTools" in model) || !("_streamResponseChunks" in model)) return undefined;
  const known = RunnableLambda.from(() => answer);
  return Object.create(model, { bindTools: { value: () => known } }) as Model;
}
