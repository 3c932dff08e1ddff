import { BehestError, type Session } from "@behest/core";
import { holdRun, waitingFor } from "@behest/core/adapter";
import { getConfig, interrupt } from "@langchain/langgraph";

/** The error of an action that waits for persons, or of a spawn below which one does. */
export type WaitingError = BehestError & { readonly waiting: NonNullable<BehestError["waiting"]> };

export function isWaiting(error: unknown): error is WaitingError {
  return BehestError.isInstance(error) && error.waiting !== undefined;
}

/** Where a tool's body leaves that it waits, so that nothing between it and the gate can swallow a pause. */
export interface Mailbox {
  waiting?: WaitingError;
}

/**
 * Whether LangGraph can pause here: its `interrupt()` looks for a checkpointer in the same place. Should that move,
 * nothing pauses any more, and what would have to wait is denied.
 */
export function canPause(): boolean {
  try {
    return Boolean(getConfig()?.configurable?.["__pregel_checkpointer"]);
  } catch {
    return false;
  }
}

/** What is handed to whoever is shown the interrupt. */
interface ApprovalRequest {
  /** As LangChain's human-in-the-loop middleware asks, which inboxes can show. */
  readonly actionRequests: readonly {
    readonly name: string;
    readonly args: { readonly [name: string]: unknown };
    readonly description: string;
  }[];
  readonly reviewConfigs: readonly {
    readonly actionName: string;
    readonly allowedDecisions: readonly ("approve" | "reject")[];
  }[];
  readonly behest: WaitingError["waiting"];
}

/**
 * Pauses the graph. Once resumed, LangGraph runs the node again from its start: the call is made again, and the
 * store says how it stands. What it was resumed with carries no decision: one resume that came too early is
 * passed over like any other. Throws `error` where nothing can pause here.
 */
export async function pause(session: Session, error: WaitingError): Promise<never> {
  const shown = canPause() ? await waitingFor(session, error.waiting.approval) : undefined;
  if (!shown) throw error;
  const { tool, args, why } = shown;
  const description = `${why} It is decided by a signature (behest approve ${error.waiting.approval}); an answer given here only makes the run look again.`;
  const request: ApprovalRequest = {
    actionRequests: [{ name: tool, args: membersOf(args), description }],
    reviewConfigs: [{ actionName: tool, allowedDecisions: ["approve", "reject"] }],
    behest: error.waiting,
  };
  try {
    for (;;) interrupt(request);
  } catch (paused) {
    // The run is taken up again, in another `session.run`.
    holdRun()(true);
    throw paused;
  }
}

function membersOf(args: unknown): { readonly [name: string]: unknown } {
  const isObject = typeof args === "object" && args !== null && !Array.isArray(args);
  return isObject ? { ...args } : { input: args };
}
