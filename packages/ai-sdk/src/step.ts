import type { ModelMessage } from "ai";
import type { LanguageModelV4ToolResultOutput } from "@ai-sdk/provider";
import type { Ask } from "@behest/core";
import { stampOf } from "./stamp.ts";

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
  /** What was begun in it and waits for persons: its next model call ends it. */
  readonly asks: Ask[];
  /** The SDK's, as of its latest step. */
  toolsContext?: { readonly [tool: string]: unknown } | undefined;
  /** What became of calls that had waited; by turn and call. */
  readonly outcomes: Map<string, Promise<LanguageModelV4ToolResultOutput | undefined>>;
}

export function newLoop(release?: Loop["release"]): Loop {
  return { release, asks: [], outcomes: new Map() };
}

export function releaseRun(loop: Loop, unfinished = false): void {
  loop.release?.(unfinished);
  loop.release = undefined;
}

export function newStep(loop: Loop = newLoop()): Step {
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
  first: Loop = newLoop(),
): Step {
  const loop = loops.get(before) ?? first;
  if (loop === first) loops.set(before, loop);
  const step = newStep(loop);
  steps.set(messages, step);
  const last = messages.at(-1);
  if (last) lastOf.set(last, step);
  return step;
}

/** The loop whose step hands on these messages. */
export function loopOf(messages: readonly ModelMessage[]): Loop | undefined {
  return stepOf(messages)?.loop;
}

function stepOf(messages: readonly ModelMessage[]): Step | undefined {
  const own = steps.get(messages);
  if (own || isResumed(messages)) return own;
  for (const message of messages.toReversed()) {
    const known = lastOf.get(message);
    if (known) return known;
    if (message.role !== "user") return undefined;
  }
  return undefined;
}

/** The SDK takes calls of an earlier loop up from these messages, before a first step. */
function isResumed(messages: readonly ModelMessage[]): boolean {
  const last = messages.at(-1);
  return last?.role === "tool" && last.content.some((part) => part.type === "tool-approval-response");
}

/** Stands for the messages of an earlier turn, so that what it started is started again in this loop. */
export function messagesOf(turn: string, loop: Loop): ModelMessage[] {
  const messages: ModelMessage[] = [];
  steps.set(messages, { loop, turn });
  return messages;
}

/**
 * The model turn that made a call, if it is known. A call that is taken up again from the history
 * (after an approval) names it itself: see stamp.ts.
 */
export async function turnOf(callId: string, messages: readonly ModelMessage[]): Promise<string | undefined> {
  const step = stepOf(messages);
  if (step) return recordedTurn(step);
  return isResumed(messages) ? stampOf(callId, messages) : undefined;
}

async function recordedTurn(step: Step): Promise<string | undefined> {
  await step.recorded;
  return step.turn;
}
