import type {
  ActiveTools,
  Experimental_ToolCallers,
  FlexibleSchema,
  GenerateTextOnAbortCallback,
  GenerateTextOnStartCallback,
  GenerateTextOnStepEndCallback,
  GenerateTextOnStepErrorCallback,
  GenerateTextOnStepStartCallback,
  LanguageModel,
  OnLanguageModelCallEndCallback,
  OnLanguageModelCallStartCallback,
  OnToolExecutionEndCallback,
  OnToolExecutionStartCallback,
  PrepareStepFunction,
  PrepareStepResult,
  StopCondition,
  StreamTextOnChunkCallback,
  StreamTextOnEndCallback,
  StreamTextOnErrorRetryCallback,
  StreamTextTransform,
  ToolApprovalConfiguration,
  ToolCallRepairFunction,
  ToolChoice,
  ToolInputRefinement,
  ToolLoopAgentSettings,
  ToolOrder,
  ToolSet,
} from "ai";
import type { Context } from "@ai-sdk/provider-utils";

type Many<V> = V | V[];
type Awaitable<V> = V | PromiseLike<V>;

/**
 * The compiler meets the type of a model twice here, in ours and in the SDK's, and multiplies hundreds of
 * ids by themselves. The SDK's own type still checks it.
 */
type AnyModel<V> = V extends { model?: LanguageModel } ? Omit<V, "model"> & { model?: unknown } : V;

/**
 * The settings that `guard` looks at, and every callback that may stand inline in them. Without its type
 * here an inline callback has no contextual type, and then the tools are not inferred either.
 */
export interface GuardSettings<T extends ToolSet, R extends Context, O> extends Callbacks<
  NoInfer<T>,
  NoInfer<R>
> {
  model: LanguageModel;
  tools?: T;
  runtimeContext?: R;
  callOptionsSchema?: FlexibleSchema<O>;
  prepareStep?: (
    options: Parameters<PrepareStepFunction<NoInfer<T>, NoInfer<R>>>[0],
  ) => Awaitable<AnyModel<PrepareStepResult<NoInfer<T>, NoInfer<R>>>>;
  // The output's type decides nothing here, and `never` or a bound would refuse settings that have one.
  // oxlint-disable-next-line typescript/no-explicit-any
  prepareCall?: ToolLoopAgentSettings<NoInfer<O>, NoInfer<T>, NoInfer<R>, any>["prepareCall"];
  activeTools?: ActiveTools<NoInfer<T>>;
  toolChoice?: ToolChoice<NoInfer<T>>;
  toolOrder?: ToolOrder<NoInfer<T>>;
  toolApproval?: ToolApprovalConfiguration<NoInfer<T>, NoInfer<R>>;
  stopWhen?: Many<StopCondition<NoInfer<T>, NoInfer<R>>>;
}

interface Callbacks<T extends ToolSet, R extends Context> {
  onStart?: GenerateTextOnStartCallback<T, R>;
  onStepStart?: GenerateTextOnStepStartCallback<T, R>;
  onStepEnd?: GenerateTextOnStepEndCallback<T, R>;
  onStepFinish?: GenerateTextOnStepEndCallback<T, R>;
  onStepError?: GenerateTextOnStepErrorCallback<T, R>;
  onEnd?: StreamTextOnEndCallback<T, R>;
  onFinish?: StreamTextOnEndCallback<T, R>;
  onChunk?: StreamTextOnChunkCallback<T>;
  onError?: StreamTextOnErrorRetryCallback;
  onAbort?: GenerateTextOnAbortCallback<T, R>;
  onLanguageModelCallStart?: OnLanguageModelCallStartCallback;
  onLanguageModelCallEnd?: OnLanguageModelCallEndCallback<T>;
  onToolExecutionStart?: OnToolExecutionStartCallback<T>;
  onToolExecutionEnd?: OnToolExecutionEndCallback<T>;
  repairToolCall?: ToolCallRepairFunction<T>;
  experimental_repairToolCall?: ToolCallRepairFunction<T>;
  experimental_refineToolInput?: ToolInputRefinement<T>;
  experimental_toolCallers?: Experimental_ToolCallers<T>;
  experimental_transform?: Many<StreamTextTransform<T>>;
}
