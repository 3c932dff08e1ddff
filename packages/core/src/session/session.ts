import type { Json } from "@behest/jws";
import { freeze } from "../action/arguments.ts";
import { type Frame, ambient, runIn } from "./ambient.ts";
import type { Execute } from "../action/call.ts";
import { decide } from "../checks/check.ts";
import { performOrDefer } from "../deferred/deferred.ts";
import { isBelow } from "../deferred/deferral.ts";
import { type Spawn, deriveChild, reloadChild } from "./delegate.ts";
import { LiveSession, type SessionParts } from "./live.ts";
import { openStretch } from "./stretch.ts";
import type { Action, DelegateRequest, Session } from "../types.ts";

/**
 * A session at work. Users, tool bodies and adapters hold its `facade`: what is in here (its parent, the
 * deployment, its grants) is out of their reach.
 */
export class OpenSession extends LiveSession {
  readonly facade: Session = facadeOf(this);

  run<T>(fn: () => T): T {
    const around = ambient.getStore();
    // Inside another run's function this one is its own outermost.
    const outer = around?.session.root === this.root ? around.stretch : undefined;
    const stretch = openStretch(this, outer);
    const frame: Frame = { session: this, stretch };
    return stretch.enter(() => runIn(frame, () => wrapped(this.facade, fn), stretch.settled));
  }

  lasting(): OpenSession {
    return this.parts.parent ? new OpenSession(lastingParts(this.parts)) : this;
  }

  /** The child that this spawn makes: the same one however often it is asked for. */
  async spawn(request: DelegateRequest, by: Spawn): Promise<OpenSession> {
    return new OpenSession(await deriveChild(this, request, by));
  }

  /** The child that a spawn has made; undefined where there is none that may still act. */
  async spawned(id: string): Promise<OpenSession | undefined> {
    const parts = await reloadChild(this, id);
    return parts && new OpenSession(parts);
  }
}

/** Without the signals of the calls that spawned it and those above: a framework may fire them once its loop is over. */
function lastingParts({ parent, signal, ...parts }: SessionParts): SessionParts {
  return parent ? { ...parts, parent: new LiveSession(lastingParts(parent.parts)) } : { ...parts, signal };
}

const lives: WeakMap<Session, OpenSession> = new WeakMap();

/** What is behind a session; undefined for anything that this copy of core did not open. */
export function liveOf(session: Session): OpenSession | undefined {
  return lives.get(session);
}

function facadeOf(live: OpenSession): Session {
  const facade: Session = Object.freeze({
    get id() {
      return live.id;
    },
    principal: live.principal,
    agent: live.agent,
    signal: live.signal,
    run: <T>(fn: () => T): T => live.run(fn),
    async delegate(request: DelegateRequest) {
      const id = live.actionId("", `delegate#${live.nextOrdinal()}`, "");
      return (await live.spawn(request, { id })).facade;
    },
    async authorize({ tool, args }: Action) {
      const { value } = freeze(args);
      const now = live.deployment.clock();
      return decide({ session: live, tool, args: value, class: live.classOf(tool, value), now });
    },
    perform: <T, A extends Json>(
      action: Action & { args: A },
      execute: (args: A, options: { signal: AbortSignal }) => Promise<T>,
    ) => performOrDefer(live, action, execute as unknown as Execute<T>),
    deferred: () =>
      [...live.root.deferred.values()]
        .filter(({ path }) => isBelow(live.parts.path, path))
        .map(({ approval, tool, receipt, outcome }) => ({ approval, tool, receipt, outcome })),
  });
  lives.set(facade, live);
  return facade;
}

type Wrap = <T>(session: Session, fn: () => T) => T;
const wraps: Set<Wrap> = new Set();

/** Called around every `session.run`, inside its AsyncLocalStorage: where an adapter arms its tripwire. Register once, at import. */
export function aroundRun(wrap: Wrap): void {
  wraps.add(wrap);
}

function wrapped<T>(session: Session, fn: () => T): T {
  let inner = fn;
  for (const wrap of wraps) {
    const next = inner;
    inner = () => wrap(session, next);
  }
  return inner();
}
