import { aroundRun, ambientSession, holdRun, refuse, reportTools } from "@behest/core/adapter";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { getContextVariable, registerConfigureHook, setContextVariable } from "@langchain/core/context";
import type { Serialized } from "@langchain/core/load/serializable";
import type { LLMResult } from "@langchain/core/outputs";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import { sampling } from "./sampling.ts";

// What guarded tools say of themselves as they start; known again by identity.
const announced: WeakSet<object> = new WeakSet();

/** Marks the start of a guarded tool. */
export function announce(start: Serialized): Serialized {
  announced.add(start);
  return start;
}

/**
 * Hears of every tool and graph that LangChain starts inside of a session. A tool start that no guarded
 * tool announced is refused before its body: an unguarded sub-agent's tool, a tool swapped after the
 * seal, a bare `tool.invoke()`. Not heard of, hence not stopped: a direct call of `_call` or `func`, and
 * what is no tool to LangChain (`runnable.asTool()`).
 */
class Tripwire extends BaseCallbackHandler {
  readonly name = "behest";
  readonly #graphs: Map<string, () => void> = new Map();

  constructor() {
    // Only with raiseError does a throw here stop the tool.
    super({ raiseError: true, ignoreRetriever: true, ignoreCustomEvent: true });
  }

  override async handleToolStart(
    serialized: Serialized,
    _input: string,
    _runId: string,
    _parentRunId?: string,
    _tags?: string[],
    _metadata?: Record<string, unknown>,
    runName?: string,
    callId?: string,
  ): Promise<void> {
    const session = announced.has(serialized) ? undefined : ambientSession();
    if (!session) return;
    const tool = runName ?? serialized.name ?? serialized.id.at(-1) ?? "";
    reportTools(session, [{ tool, kind: "unwrapped" }]);
    const reason = `${tool}: this tool is not guarded here, so it was not run.`;
    throw await refuse(session, { tool, callId }, "tool_unguarded", reason);
  }

  // The candidates that were not chosen (n > 1) are told to callbacks only.
  override handleLLMEnd({ generations }: LLMResult): void {
    const turn = sampling.getStore();
    if (turn) turn.candidates = generations[0] ?? [];
  }

  // A stream is handed out while its graph still runs: keep the session's run open until the graph ends.
  override handleChainStart(_chain: Serialized, _inputs: unknown, runId: string, parentRunId?: string): void {
    if (parentRunId === undefined) this.#graphs.set(runId, holdRun());
  }

  override handleChainEnd(_outputs: unknown, runId: string): void {
    this.#ended(runId);
  }

  override handleChainError(_error: unknown, runId: string): void {
    this.#ended(runId);
  }

  #ended(runId: string): void {
    this.#graphs.get(runId)?.();
    this.#graphs.delete(runId);
  }
}

const VARIABLE = "behest_tripwire";
const tripwire: Tripwire = new Tripwire();

// LangChain keeps its hooks per asynchronous context: a server that listened before this import would not
// have them. So they are set inside of each session.run, in a context of their own.
aroundRun((_session, fn) => {
  if (getContextVariable(VARIABLE) === tripwire) return fn();
  const storage = AsyncLocalStorageProviderSingleton.getInstance();
  return storage.run(storage.getStore(), () => {
    registerConfigureHook({ contextVar: VARIABLE, inheritable: true });
    setContextVariable(VARIABLE, tripwire);
    return fn();
  });
});
