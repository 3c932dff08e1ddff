import type { Session } from "@behest/core";
import { holdRun } from "@behest/core/adapter";
import { GraphRunStream } from "@langchain/langgraph";

/**
 * Around `session.run`: keeps the run open while a graph that was handed out as a stream still runs. Other
 * streams are over when whoever holds them has drained them, which core sees; one of `streamEvents` version
 * "v3" runs on by itself. A graph that failed or paused may be taken up again: what it recorded is kept.
 */
export function untilGraphEnds<T>(_session: Session, fn: () => T): T {
  const result = fn();
  return result instanceof Promise ? (result.then(held) as T) : held(result);
}

function held<T>(value: T): T {
  if (value instanceof GraphRunStream) {
    const release = holdRun();
    value.output.then(
      (output) => release(isPaused(output)),
      () => release(true),
    );
  } else if (isPaused(value)) holdRun()(true);
  return value;
}

/** A graph that waits at an interrupt answers as if it had ended, and says so beside its state. */
function isPaused(value: unknown): boolean {
  const { __interrupt__: waiting } = (value ?? {}) as { __interrupt__?: readonly unknown[] };
  return waiting !== undefined && waiting.length > 0;
}
