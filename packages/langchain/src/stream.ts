import type { Session } from "@behest/core";
import { holdRun } from "@behest/core/adapter";
import { GraphRunStream } from "@langchain/langgraph";

/**
 * Around `session.run`: keeps the run open while a graph that was handed out as a stream still runs. Other
 * streams are over when whoever holds them has drained them, which core sees; one of `streamEvents` version
 * "v3" runs on by itself.
 */
export function untilGraphEnds<T>(_session: Session, fn: () => T): T {
  const result = fn();
  return result instanceof Promise ? (result.then(held) as T) : held(result);
}

function held<T>(value: T): T {
  if (value instanceof GraphRunStream) {
    // A graph that failed may be taken up again: what it recorded is kept, so its run stays open.
    value.output.then(holdRun(), () => {});
  }
  return value;
}
