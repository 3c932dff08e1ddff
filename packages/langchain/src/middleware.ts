import { BehestError } from "@behest/core";
import type { AnyAgentMiddleware } from "langchain";
import { gate } from "./gate.ts";
import { mustBeOutermost } from "./order.ts";
import { type Gate, seal, sealing } from "./seal.ts";

/**
 * Middleware for `createAgent` that authorises, records and, where need be, refuses every tool call of the
 * agent, under the session it runs in. `inner`: other middleware; it runs inside, so that what it makes of
 * a call is what is decided on. Pass the result as it is: `middleware: behestMiddleware([retry])`.
 *
 * Decided on are the arguments as parsed, defaults and transforms included. A refusal is a tool message
 * with status "error", and the loop goes on; a tool's own exception is treated as LangChain treats it.
 * Model turns are recorded, and replayed instead of asked again when a run is taken up again under its
 * `thread_id`; a replayed turn emits `updates` but no `messages` chunks. Tools that were not granted are
 * not shown to the model.
 *
 * What a person has to approve first pauses the run: see `pendingApprovals` and `resume`. Without a checkpointer,
 * or in an agent that an ordinary tool runs, nothing can wait: there it is a refusal, `approval_needed`.
 *
 * A run rejects (the BehestError is the `cause`) with `no_session` outside of a session, and with
 * `session_ended` or `delegation_expired` between two steps. `createAgent` throws `middleware_order` where
 * another middleware wraps this one.
 */
export function behestMiddleware<const M extends readonly AnyAgentMiddleware[] = readonly []>(
  inner?: M,
): readonly [Gate, ...M, Gate] {
  const middleware = (inner ?? []) as M;
  const fatal = middleware.some(({ wrapToolCall }) => wrapToolCall !== undefined);
  const hooks = sealing();
  const alone = middleware.length === 0;
  const outer = gate({ fatal, within: alone ? hooks : undefined });
  const innermost = seal(alone ? undefined : hooks);
  mustBeOutermost(outer, innermost);
  return notNested([outer, ...middleware, innermost]);
}

/** In brackets, `[behestMiddleware()]`, LangChain would take this list for one middleware without hooks, and nothing would be guarded. */
function notNested<T extends readonly unknown[]>(list: T): T {
  const refuse = (): never => {
    throw new BehestError(
      "middleware_order",
      "middleware_order: behestMiddleware() is the list of middleware itself. Write middleware: behestMiddleware([other]), without brackets around it.",
    );
  };
  // What createAgent reads of each middleware.
  for (const name of ["name", "tools"]) Object.defineProperty(list, name, { get: refuse });
  return list;
}
