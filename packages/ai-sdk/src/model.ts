import { type LanguageModel, type Tool, customProvider } from "ai";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Session } from "@behest/core";
import { holdRun, openTurn } from "@behest/core/adapter";
import { decodeAnswer, partsOf } from "./answer.ts";
import { collectAnswer } from "./collect.ts";
import { holding } from "./hold.ts";
import { toJson } from "./json.ts";
import { brand, brandOf } from "./mark.ts";
import { type Seen, offeredTools } from "./offer.ts";
import { emptyTurn } from "./pause.ts";
import { journalled, unstamped } from "./prompt.ts";
import { type Turn, answered, endsLoop, record } from "./record.ts";
import { sessionFor } from "./session.ts";
import { settled } from "./settle.ts";
import { stamped } from "./stamp.ts";
import { type Step, newStep, releaseRun } from "./step.ts";
import { until } from "./until.ts";

/** What one `guard` knows of the settings around its model. */
export interface Scope {
  readonly session: Session | undefined;
  readonly tools: readonly Seen[];
  /** Guarded, by name. */
  readonly bodies: ReadonlyMap<string, Tool>;
  /** Calls may come back from the history, after an approval: they are told their turn. */
  readonly stamps: boolean;
}

interface Wrapped {
  readonly model: LanguageModel;
  readonly session: Session | undefined;
}

/**
 * The model as the kill switch between steps, the witness of each turn, and the keeper of the journal:
 * a turn that was recorded before is handed back instead of asked again. Offers only what is granted.
 */
export function guardModel(given: LanguageModel, scope: Scope, bound?: Step): LanguageModelV4 {
  const before = typeof given === "object" ? brandOf<Wrapped>(given) : undefined;
  const model = before?.model ?? given;
  const explicit = before?.session ?? scope.session;
  // Ids are resolved at each call, as the SDK does: the global provider may be set later.
  const inner = (): LanguageModelV4 =>
    typeof model === "object" && model.specificationVersion === "v4"
      ? model
      : customProvider({ languageModels: { model } }).languageModel("model");

  /** Undefined where something that was begun waits for persons: then the model is not asked. */
  const open = async (options: LanguageModelV4CallOptions, step: Step): Promise<Turn | undefined> => {
    const session = sessionFor(explicit, "the model");
    const { tools: _, toolChoice: __, ...rest } = options;
    const { abortSignal } = options;
    const around = { session, bodies: scope.bodies, loop: step.loop, abortSignal };
    const prompt = unstamped(await settled(options.prompt, around));
    if (step.loop.asks.length > 0) return undefined;
    const offer = await offeredTools(session, options, scope.tools);
    const handle = await openTurn(session, { messages: journalled(prompt), json: toJson });
    step.turn = handle.id;
    const signal = abortSignal ? AbortSignal.any([abortSignal, session.signal]) : session.signal;
    const isTool = (name: string): boolean =>
      scope.tools.some(({ tool }) => tool === name) ||
      (options.tools ?? []).some((offered) => offered.name === name);
    const asked = { ...rest, ...offer, prompt, abortSignal: signal };
    return { session, isTool, step, handle, signal, options: asked };
  };

  const guarded: LanguageModelV4 = {
    specificationVersion: "v4",
    get provider() {
      return inner().provider;
    },
    get modelId() {
      return inner().modelId;
    },
    get supportedUrls() {
      return inner().supportedUrls;
    },
    async doGenerate(options) {
      try {
        const step = bound ?? newStep();
        const turn = await open(options, step);
        if (!turn) return emptyTurn(step.loop.asks);
        const { replay } = turn.handle;
        const result =
          replay === undefined
            ? await answered(turn, () => inner().doGenerate(turn.options))
            : decodeAnswer(replay);
        if (replay === undefined) await record(turn, inner(), result);
        return { ...result, content: result.content.map((part) => stamped(part, turn, scope.stamps)) };
      } finally {
        // From here on generateText's own promise keeps the run open.
        if (bound) releaseRun(bound.loop);
      }
    },
    async doStream(options) {
      const step = bound ?? newStep();
      const turn = await open(options, step);
      if (!turn) {
        releaseRun(step.loop);
        return { stream: ReadableStream.from(partsOf(emptyTurn(step.loop.asks))) };
      }
      const { handle } = turn;
      const { replay } = handle;
      step.loop.release ??= holdRun();
      // What broke off may be taken up again, also by this session: the same question is then this one.
      const broken = (): void => {
        if (!step.recorded) handle.abandon();
        releaseRun(step.loop, true);
      };
      let answer: Awaited<ReturnType<LanguageModelV4["doStream"]>>;
      try {
        answer =
          replay === undefined
            ? await until(turn.signal, inner().doStream(turn.options))
            : { stream: ReadableStream.from(partsOf(decodeAnswer(replay))) };
      } catch (error) {
        broken();
        throw error;
      }
      const collected = collectAnswer();
      const passed = holding(turn.session);
      const tap = new TransformStream<LanguageModelV4StreamPart, LanguageModelV4StreamPart>({
        transform(part, controller) {
          collected.add(part);
          // Begun before the SDK sees the end: the tools of this turn wait for it.
          if (part.type === "finish" && replay === undefined) {
            step.recorded = record(turn, inner(), collected.answer());
            step.recorded.catch(() => {});
          }
          for (const next of passed(part)) controller.enqueue(stamped(next, turn, scope.stamps));
        },
        async flush() {
          await step.recorded;
          if (endsLoop(collected.answer())) releaseRun(step.loop);
        },
      });
      const { stream, ...rest } = answer;
      stream.pipeTo(tap.writable, { signal: turn.signal }).catch(broken);
      return { ...rest, stream: tap.readable };
    },
  };
  return brand(guarded, { model, session: explicit } satisfies Wrapped);
}
