import type { ModelMessage } from "ai";

/** One step of an agent's loop: its model call, then the tools of that call. */
export interface Step {
  readonly loop: Loop;
  /** Set once the model has been asked. */
  turn?: string;
  /** Set once it has answered: rejects where the turn cannot be recorded, and then no tool of it runs. */
  recorded?: Promise<void>;
}

/**
 * One call of `generateText` or `streamText`. The latter returns long before it ends, and so does the
 * function that `session.run` was given; a run that has ended well is complete, and its journal dropped.
 * So a call holds the run from the moment it reads its settings: until its first answer where it
 * generates, until the answer that ends it where it streams. A stream that fails does not reject, and the
 * journal of a run that broke off must stay.
 */
export interface Loop {
  release?: ((unfinished?: boolean) => void) | undefined;
}

export function releaseRun(loop: Loop, unfinished = false): void {
  loop.release?.(unfinished);
  loop.release = undefined;
}

export function newStep(loop: Loop = {}): Step {
  return { loop };
}

// The SDK hands one and the same array to prepareStep (or takes the one that it answers) and to the tools
// of that step. So parallel loops in one session are told apart even where their models number calls alike.
const steps: WeakMap<readonly ModelMessage[], Step> = new WeakMap();
// Code mode may announce its tools in a copy of that array, as users: then its last message leads to the step.
const lastOf: WeakMap<ModelMessage, Step> = new WeakMap();

const loops: WeakMap<readonly unknown[], Loop> = new WeakMap();

/** `before`: the SDK's list of the loop's steps so far, one and the same through all of it. */
export function openStep(
  messages: readonly ModelMessage[],
  before: readonly unknown[],
  first: Loop = {},
): Step {
  const loop = loops.get(before) ?? first;
  if (loop === first) loops.set(before, loop);
  const step = newStep(loop);
  steps.set(messages, step);
  const last = messages.at(-1);
  if (last) lastOf.set(last, step);
  return step;
}

/**
 * The model turn that made a call, if it is known. A call that is taken up again from the history
 * (after an approval) names it itself: see {@link stamp}.
 */
export async function turnOf(callId: string, messages: readonly ModelMessage[]): Promise<string | undefined> {
  const own = steps.get(messages);
  if (own) return recordedTurn(own);
  const last = messages.at(-1);
  if (last?.role === "tool" && last.content.some((part) => part.type === "tool-approval-response"))
    return stampOf(callId, messages);
  for (const message of messages.toReversed()) {
    const known = lastOf.get(message);
    if (known) return recordedTurn(known);
    if (message.role !== "user") return undefined;
  }
  return undefined;
}

async function recordedTurn(step: Step): Promise<string | undefined> {
  await step.recorded;
  return step.turn;
}

/** Provider metadata that travels with a tool call through the history, also to another process. */
export function stamp<T extends object>(part: T, turn: string): T {
  const { providerMetadata } = part as { providerMetadata?: object };
  return { ...part, providerMetadata: { ...providerMetadata, behest: { turn } } };
}

function stampOf(callId: string, messages: readonly ModelMessage[]): string | undefined {
  for (const { role, content } of messages.toReversed()) {
    if (role !== "assistant" || typeof content === "string") continue;
    const call = content
      .filter((part) => part.type === "tool-call")
      .find((part) => part.toolCallId === callId);
    if (!call) continue;
    const turn = call.providerOptions?.["behest"]?.["turn"];
    return typeof turn === "string" ? turn : undefined;
  }
  return undefined;
}
