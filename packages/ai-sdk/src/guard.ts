import type { LanguageModel, ModelMessage, Tool, ToolSet } from "ai";
import type { Context } from "@ai-sdk/provider-utils";
import type { Session } from "@behest/core";
import { brand, brandOf } from "./mark.ts";
import { type Scope, guardModel } from "./model.ts";
import { seenTools } from "./offer.ts";
import type { GuardSettings } from "./settings.ts";
import { openStep } from "./step.ts";
import { guardTools } from "./tool.ts";

/**
 * Puts `generateText`, `streamText` or a `ToolLoopAgent` under a session: pass what this returns instead
 * of the settings. The given session wins over the ambient one (`session.run`); without either the model
 * call rejects with `no_session` and nothing runs. Tools are guarded as by {@link guardTools}; the model
 * is offered only tools that the delegation names, provider-executed ones included, and refuses one that
 * is not guarded (`tool_unguarded`); each of its turns is recorded, and replayed where the run is taken
 * up again. Models and tools that `prepareStep` and `prepareCall` answer are guarded too; `toolApproval`
 * stays as it is. The settings are not changed, and keep their type: the intersection is there for the
 * types of inline callbacks.
 */
export function guard<T extends ToolSet, S, R extends Context = Context, O = never>(
  settings: S & GuardSettings<T, R, O>,
  session?: Session,
): S {
  return guardSettings(settings as Settings, session) as S;
}

interface Settings {
  readonly model?: LanguageModel;
  readonly tools?: ToolSet;
  readonly toolApproval?: unknown;
  readonly prepareStep?: PrepareStep;
  readonly prepareCall?: (options: object) => unknown;
}

interface StepSettings {
  readonly model?: LanguageModel;
  readonly messages?: ModelMessage[];
}

type PrepareStep = (options: Required<StepSettings> & { readonly steps: readonly unknown[] }) => PromiseLike<StepSettings | undefined> | StepSettings | undefined;

function guardSettings(settings: Settings, session: Session | undefined): Settings {
  const { model, tools, prepareStep, prepareCall } = settings;
  const scope = scopeOf(settings, session);
  return {
    ...settings,
    ...(model && { model: guardModel(model, scope) }),
    ...(tools && { tools: guardTools(tools, session) }),
    prepareStep: guardStep(prepareStep, scope),
    ...(prepareCall && { prepareCall: guardCall(prepareCall, session) }),
  };
}

function scopeOf({ tools = {}, toolApproval }: Settings, session: Session | undefined): Scope {
  const asks = toolApproval !== undefined || Object.values(tools).some(({ needsApproval }: Pick<Tool, "needsApproval">) => needsApproval !== undefined);
  return { session, tools: seenTools(tools), stamps: asks };
}

/** Ties each step's model call to its tools, and guards a model that takes the place of ours. */
function guardStep(given: PrepareStep | undefined, scope: Scope): PrepareStep {
  const prepareStep = given && (brandOf<{ prepareStep: PrepareStep | undefined }>(given) ?? { prepareStep: given }).prepareStep;
  const guarded: PrepareStep = async (options) => {
    const prepared = await prepareStep?.(options);
    // A copy: the same array, answered twice, would be two steps in one.
    const messages = prepared?.messages && [...prepared.messages];
    const step = openStep(messages ?? options.messages, options.steps);
    const model = guardModel(prepared?.model ?? options.model, scope, step);
    return { ...prepared, ...(messages && { messages }), model };
  };
  return brand(guarded, { prepareStep });
}

function guardCall(given: NonNullable<Settings["prepareCall"]>, session: Session | undefined): NonNullable<Settings["prepareCall"]> {
  const prepareCall = brandOf<{ prepareCall: typeof given }>(given)?.prepareCall ?? given;
  const guarded = async (options: object): Promise<unknown> => {
    const prepared = await prepareCall(options);
    return prepared && guardSettings(prepared, session);
  };
  return brand(guarded, { prepareCall });
}
