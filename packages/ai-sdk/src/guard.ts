import type { LanguageModel, ModelMessage, Tool, ToolSet } from "ai";
import type { Context } from "@ai-sdk/provider-utils";
import type { Session } from "@behest/core";
import { holdRun } from "@behest/core/adapter";
import { type Approval, givenApproval, guardApproval } from "./approval.ts";
import { brand, brandOf } from "./mark.ts";
import { type Scope, guardModel } from "./model.ts";
import { seenTools } from "./offer.ts";
import type { GuardSettings } from "./settings.ts";
import { resumedAsks } from "./pause.ts";
import { type Loop, newLoop, openStep } from "./step.ts";
import { guardTools } from "./tool.ts";

/**
 * Puts `generateText`, `streamText` or a `ToolLoopAgent` under a session: pass what this returns instead
 * of the settings. The given session wins over the ambient one (`session.run`); without either the model
 * call rejects with `no_session` and nothing runs. Tools are guarded as by {@link guardTools}; the model
 * is offered only tools that the delegation names, provider-executed ones included, and refuses one that
 * is not guarded (`tool_unguarded`); each of its turns is recorded, and replayed where the run is taken
 * up again. Models and tools that `prepareStep` and `prepareCall` answer are guarded too. Where persons have
 * to approve a call the loop pauses as by `toolApproval`, yours being heard as well: see pending.ts. The settings are not changed, and keep their type: the intersection is there for the
 * types of inline callbacks.
 */
export function guard<T extends ToolSet, S, R extends Context = Context, O = never>(
  settings: S & GuardSettings<T, R, O>,
  session?: Session,
): S {
  return guardSettings(settings as unknown as Settings, session) as S;
}

interface Settings {
  readonly model?: LanguageModel;
  readonly tools?: ToolSet;
  readonly prompt?: unknown;
  readonly messages?: unknown;
  readonly toolApproval?: Approval;
  readonly prepareStep?: PrepareStep;
  readonly prepareCall?: PrepareCall;
}

interface StepSettings {
  readonly model?: LanguageModel;
  readonly messages?: ModelMessage[];
}

type PrepareStep = (
  options: Required<StepSettings> & {
    readonly steps: readonly unknown[];
    readonly initialMessages: ModelMessage[];
    readonly toolsContext?: Loop["toolsContext"];
  },
) => PromiseLike<StepSettings | undefined> | StepSettings | undefined;
type PrepareCall = (options: Settings) => PromiseLike<Settings | undefined> | Settings | undefined;

function guardSettings(given: Settings, under: Session | undefined): Settings {
  const before = brandOf<{ settings: Settings; session: Session | undefined }>(given);
  const settings = before?.settings ?? given;
  const session = before?.session ?? under;
  const { model, tools, prompt, messages, prepareStep, prepareCall } = settings;
  const toolApproval = givenApproval(settings.toolApproval);
  const bodies = tools && guardTools(tools, session);
  const scope = scopeOf(tools, bodies, toolApproval, session);
  const guarded = {
    ...settings,
    ...(model && { model: guardModel(model, scope) }),
    ...(bodies && { tools: bodies, toolApproval: guardApproval(toolApproval, bodies) }),
  };
  // An agent's settings have no prompt: the SDK passes them, with it, through prepareCall at each call.
  const own: PropertyDescriptorMap =
    prompt === undefined && messages === undefined
      ? {
          prepareStep: { value: guardStep(prepareStep, scope) },
          prepareCall: { value: guardCall(prepareCall, session) },
        }
      : // Read when the SDK is called, once a call, and before it returns.
        { prepareStep: { get: () => guardStep(prepareStep, scope, newLoop(holdRun())) } };
  for (const property of Object.values(own))
    Object.assign(property, { enumerable: true, configurable: true });
  return brand(Object.defineProperties(guarded, own), { settings, session });
}

function scopeOf(
  tools: ToolSet = {},
  guarded: ToolSet = {},
  toolApproval: Approval | undefined,
  session: Session | undefined,
): Scope {
  const onTools = Object.values(tools).some(
    ({ needsApproval }: Pick<Tool, "needsApproval">) => needsApproval !== undefined,
  );
  const bodies = new Map(Object.entries(guarded) as [string, Tool][]);
  const stamps = onTools || toolApproval !== undefined;
  return { session, tools: seenTools(tools), bodies, stamps };
}

/**
 * Ties each step's model call to its tools, and guards a model that takes the place of ours. `loop` is the
 * call that these settings were made for.
 */
function guardStep(given: PrepareStep | undefined, scope: Scope, loop?: Loop): PrepareStep {
  const prepareStep = unguarded(given);
  let first = loop;
  const guarded: PrepareStep = async (options) => {
    const prepared = await prepareStep?.(options);
    // A copy: the same array, answered twice, would be two steps in one.
    const messages = prepared?.messages && [...prepared.messages];
    const step = openStep(messages ?? options.messages, options.steps, first);
    first = undefined;
    step.loop.toolsContext = options.toolsContext;
    if (options.steps.length === 0) step.loop.asks.push(...resumedAsks(options.initialMessages));
    const model = guardModel(prepared?.model ?? options.model, scope, step);
    return { ...prepared, ...(messages && { messages }), model };
  };
  return brand(guarded, { given: prepareStep });
}

function guardCall(given: PrepareCall | undefined, session: Session | undefined): PrepareCall {
  const prepareCall = unguarded(given);
  const guarded: PrepareCall = async (options) =>
    guardSettings((await prepareCall?.(options)) ?? options, session);
  return brand(guarded, { given: prepareCall });
}

function unguarded<F extends object>(callback: F | undefined): F | undefined {
  const before = callback && brandOf<{ given: F | undefined }>(callback);
  return before ? before.given : callback;
}
