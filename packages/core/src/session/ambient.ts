import { AsyncLocalStorage } from "node:async_hooks";
import { BehestError } from "../error.ts";
import type { LiveSession } from "./live.ts";
import type { Session } from "../types.ts";

/** What is at work here, with what others may see of it. */
export type AmbientSession = LiveSession & {
  readonly facade: Session;
  /** The same, but that no loop which started it ends it. */
  lasting(): AmbientSession;
};

/** What is ambient while an agent runs, and inside a guarded body. */
export interface Frame {
  readonly session: AmbientSession;
  /** The stretch of `session.run` this belongs to. */
  readonly stretch?: Stretch;
  /** The action whose body is running. */
  readonly call?: EnclosingCall;
}

/** One `session.run`: open until its function has settled and every hold is released. */
export interface Stretch {
  /** `unfinished`: what was held did not end well, or only paused, so the run may be taken up again. */
  hold(): (unfinished?: boolean) => void;
}

export interface EnclosingCall {
  readonly callId: string;
  readonly turn: string;
  readonly ordinal: string;
  /** Guarded calls made so far from inside this body. */
  nested: number;
  /** Gone when the body has ended. */
  credential?: string | undefined;
}

// One storage across copies of this module: two of them would mean a baffling no_session.
export const ambient: AsyncLocalStorage<Frame> = ((globalThis as Record<symbol, unknown>)[
  Symbol.for("behest.session.v1")
] ??= new AsyncLocalStorage<Frame>()) as AsyncLocalStorage<Frame>;

/** The session of the code that asks; throws `no_session` outside of one. */
export function currentSession(): Session {
  const session = ambient.getStore()?.session;
  if (!session) throw noSession();
  return session.facade;
}

/** `what`: what was called, as a message names it: `"send_mail"`, a model. */
export function noSession(what?: string): BehestError {
  const happened = what === undefined ? "there is no session here" : `${what} was called outside a session`;
  return new BehestError(
    "no_session",
    `no_session: ${happened}. Wrap the call: session.run(() => agent.invoke(…)), or pass the session: guard(settings, session).`,
  );
}

/** The credential handed to the tool that is running; inside its body only (`no_session` elsewhere). */
export function useCredential(): string {
  const value = ambient.getStore()?.call?.credential;
  if (value === undefined)
    throw new BehestError(
      "no_session",
      "no_session: no credential was handed to this code. Use it inside a guarded tool body, with createBehest({ credentials }).",
    );
  return value;
}

/**
 * Runs `fn` in `frame`, and what it returns too: the body of a generator runs when it is pulled, by
 * whoever pulls it, so its methods are bound to the frame it was made in. `ended` is called once, when
 * the returned value is settled or drained.
 */
export function runIn<T>(frame: Frame, fn: () => T, ended: (failed: boolean) => void): T {
  let result: T;
  try {
    result = ambient.run(frame, fn);
  } catch (error) {
    ended(true);
    throw error;
  }
  if (isThenable(result)) {
    return ambient
      .run(frame, () => Promise.resolve(result))
      .then(
        (value: unknown) => settle(frame, value, ended),
        (error: unknown) => {
          ended(true);
          throw error;
        },
      ) as T;
  }
  return settle(frame, result, ended);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

type Step = (...args: unknown[]) => unknown;

function settle<T>(frame: Frame, value: T, ended: (failed: boolean) => void): T {
  const source = value as {
    next?: Step;
    return?: Step;
    throw?: Step;
    [Symbol.asyncIterator]?: unknown;
    [Symbol.iterator]?: unknown;
  };
  const iterates = typeof value === "object" && value !== null && typeof source.next === "function";
  if (!iterates || !(source[Symbol.asyncIterator] || source[Symbol.iterator])) {
    ended(false);
    return value;
  }
  let over = false;
  const finish = (failed: boolean): void => {
    if (!over) ended(failed);
    over = true;
  };
  const watch = (step: unknown, name: string): unknown => {
    if ((step as { done?: boolean } | undefined)?.done === true || name !== "next") finish(name === "throw");
    return step;
  };
  for (const name of ["next", "return", "throw"] as const) {
    const method = source[name];
    if (typeof method !== "function") continue;
    const bound: Step = (...args) => {
      const step = ambient.run(frame, () => method.apply(value, args));
      if (!(step instanceof Promise)) return watch(step, name);
      return step.then(
        (s) => watch(s, name),
        (error: unknown) => {
          finish(true);
          throw error;
        },
      );
    };
    Object.defineProperty(value, name, { value: bound, configurable: true, writable: true });
  }
  return value;
}
