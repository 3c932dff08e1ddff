import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { registerConfigureHook, setContextVariable } from "@langchain/core/context";
import type { Generation, LLMResult } from "@langchain/core/outputs";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";

const VARIABLE = "behest_candidates";

/** Hears what a model answered, all of it; the candidates that were not chosen are told to callbacks only. */
class Listener extends BaseCallbackHandler {
  readonly name = VARIABLE;
  heard: readonly Generation[] = [];

  constructor() {
    super({
      _awaitHandler: true,
      ignoreChain: true,
      ignoreAgent: true,
      ignoreRetriever: true,
      ignoreCustomEvent: true,
    });
  }

  override handleLLMEnd({ generations }: LLMResult): void {
    this.heard = generations[0] ?? [];
  }
}

/** Asks a model, and answers with what it also said (`n` > 1). */
export async function withCandidates<T>(
  ask: () => T,
): Promise<{ answer: Awaited<T>; others: readonly Generation[] }> {
  const listener = new Listener();
  const storage = AsyncLocalStorageProviderSingleton.getInstance();
  const outer: unknown = storage.getStore();
  // A context of its own, as what is set in it stays set; run() makes none for the store it already has.
  const answer = await storage.run({}, () => {
    storage.enterWith(outer);
    registerConfigureHook({ contextVar: VARIABLE, inheritable: false });
    setContextVariable(VARIABLE, listener);
    return ask();
  });
  return { answer, others: listener.heard.slice(1) };
}
