import { AsyncLocalStorage } from "node:async_hooks";
import type { Session } from "@behest/core";
import { adoptRun, ambientSession, noSession } from "@behest/core/adapter";
import { AIMessage, type BaseMessage } from "@langchain/core/messages";
import type { ToolRunnableConfig } from "@langchain/core/tools";
import { getCurrentTaskInput } from "@langchain/langgraph";
import { type Mailbox, canPause } from "./waiting.ts";

type Configurable = { readonly [name: string]: unknown };

/** The ambient session, its run bound to LangGraph's thread. Throws `no_session`. */
export function sessionHere(what: string, configurable: Configurable | undefined): Session {
  const session = ambientSession();
  if (!session) throw noSession(what);
  const thread = configurable?.["thread_id"];
  if (typeof thread === "string" && thread !== "") adoptRun(session, thread);
  return session;
}

/**
 * Which call of which model turn a tool is invoked for: the turn is the id of the last message that
 * holds the call, because a provider may count its call ids from "0" in every turn. Empty for a tool
 * that is invoked with bare arguments. `waits`: whether it can be made again once persons have decided; `defers`:
 * whether it would be known again.
 */
export function callOf(config: ToolRunnableConfig | undefined): {
  callId?: string;
  turn?: string;
  waits: boolean;
  defers?: boolean;
} {
  const callId = config?.toolCall?.id;
  // Without an id a call could not be known again.
  if (!callId) return { waits: false };
  const turn = turnOf(callId, messagesOf(config));
  const waits = canPause();
  return turn === undefined ? { callId, waits, defers: false } : { callId, turn, waits, defers: true };
}

export function turnOf(callId: string, messages: readonly BaseMessage[]): string | undefined {
  const holds = (message: BaseMessage): boolean =>
    AIMessage.isInstance(message) && message.tool_calls?.some(({ id }) => id === callId) === true;
  return messages.findLast(holds)?.id;
}

function messagesOf(config: ToolRunnableConfig & { readonly state?: unknown }): readonly BaseMessage[] {
  const state = config.state ?? taskInput(config);
  const messages = Array.isArray(state) ? state : (state as { messages?: unknown } | undefined)?.messages;
  return Array.isArray(messages) ? (messages as BaseMessage[]) : [];
}

/** Both tool nodes pass `state`; a node that invokes a tool by itself does not. */
function taskInput(config: ToolRunnableConfig): unknown {
  try {
    return getCurrentTaskInput(config);
  } catch {
    return undefined;
  }
}

interface Around {
  /** Call ids of the bodies that are running around this code, "/" between. */
  readonly path: string | undefined;
  /** Of the gate that the call came through; none inside of a body. */
  readonly mailbox?: Mailbox;
}

const around: AsyncLocalStorage<Around> = new AsyncLocalStorage();

/** Runs what a gate hands a call on to. */
export function throughGate<T>(mailbox: Mailbox, call: () => T): T {
  return around.run({ path: around.getStore()?.path, mailbox }, call);
}

export function mailboxHere(): Mailbox | undefined {
  return around.getStore()?.mailbox;
}

/** Runs the body of a call, so that model turns asked for inside of it are told apart from its siblings'. */
export function inside<T>(callId: string | undefined, body: () => T): T {
  const outer = around.getStore()?.path;
  const path = outer === undefined || callId === undefined ? (callId ?? outer) : `${outer}/${callId}`;
  return around.run({ path }, body);
}

/**
 * Tells apart model turns with equal messages: the calls they are made inside of, and the numbers by
 * which LangGraph counts the graphs that one node invokes (`tools:<id>|1|…`). The rest of the namespace
 * is random in every process.
 */
export function ordinalOf(configurable: Configurable | undefined): string {
  const namespace = configurable?.["checkpoint_ns"];
  const numbers =
    typeof namespace === "string" ? namespace.split("|").filter((part) => /^\d+$/.test(part)) : [];
  return [around.getStore()?.path ?? "", ...numbers].join("|");
}
