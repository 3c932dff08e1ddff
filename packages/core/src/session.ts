import type { Json } from "@behest/delegation";
import { freeze } from "./action.ts";
import { type Frame, ambient, runIn } from "./ambient.ts";
import { decide } from "./checks/check.ts";
import { deriveChild } from "./delegate.ts";
import { LiveSession } from "./live.ts";
import { perform } from "./perform.ts";
import { openStretch } from "./stretch.ts";
import type { Action, DelegateRequest, Outcome, Session, Verdict } from "./types.ts";

/** What users hold: a session's state and the ways to act in it. */
export class OpenSession extends LiveSession implements Session {
  run<T>(fn: () => T): T {
    const stretch = openStretch(this, ambient.getStore()?.stretch);
    const frame: Frame = { session: this, stretch };
    return stretch.enter(() => runIn(frame, () => wrapped(this, fn), stretch.settled));
  }

  delegate(request: DelegateRequest): Promise<OpenSession> {
    return this.spawn(request, this.actionId("", `delegate#${this.nextOrdinal()}`, ""));
  }

  /** The child that the spawn `id` makes: the same one however often it is asked for. */
  async spawn(request: DelegateRequest, id: string): Promise<OpenSession> {
    return new OpenSession(await deriveChild(this, request, id));
  }

  async authorize(action: Action): Promise<Verdict> {
    const { value } = freeze(action.args);
    const { tool } = action;
    return decide({
      session: this,
      tool,
      args: value,
      class: this.classOf(tool, value),
      now: this.deployment.clock(),
    });
  }

  perform<T>(
    action: Action,
    execute: (args: Json, options: { signal: AbortSignal }) => Promise<T>,
  ): Promise<Outcome<T>> {
    return perform(this, action, execute);
  }
}

type Wrap = <T>(session: Session, fn: () => T) => T;
const wraps: Set<Wrap> = new Set();

/** Called around every `session.run`, inside its AsyncLocalStorage: where an adapter arms its tripwire. Register once, at import. */
export function aroundRun(wrap: Wrap): void {
  wraps.add(wrap);
}

function wrapped<T>(session: OpenSession, fn: () => T): T {
  let inner = fn;
  for (const wrap of wraps) {
    const next = inner;
    inner = () => wrap(session, next);
  }
  return inner();
}
