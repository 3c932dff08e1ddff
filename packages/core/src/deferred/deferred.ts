import { setTimeout as sleep } from "node:timers/promises";
import { type Place, placeOf } from "../action/place.ts";
import { type AmbientSession, ambient } from "../session/ambient.ts";
import type { Call, Execute } from "../action/call.ts";
import { type Deferral, type DeferredOutcome, isOpen, isUndecided } from "./deferral.ts";
import { holdersOf } from "../approval/enrolled.ts";
import { BehestError, type Code, type Waiting } from "../error.ts";
import { forgetComplete } from "../turn/journal.ts";
import { perform } from "../action/perform.ts";
import { receiptOf } from "./receipt.ts";
import { LOOK_EVERY, openAsked, standingOf } from "../approval/standing.ts";
import type { StoredApproval } from "../store/types.ts";
import type { Outcome } from "../types.ts";

/** A call that is to be made when persons have decided. */
interface Later<T> {
  readonly place: Place;
  readonly call: Call<T>;
  readonly execute: Execute<T>;
}

/**
 * {@link perform}; but where the session defers, what only lacks signatures rejects with a receipt
 * (`approval_deferred`), and is made here once persons have decided.
 */
export async function performOrDefer<T>(
  session: AmbientSession,
  call: Call<T>,
  execute: Execute<T>,
): Promise<Outcome<T>> {
  const place = placeOf(session, call);
  try {
    return await perform(session, call, execute, { place });
  } catch (error) {
    if (BehestError.isInstance(error) && error.deferred)
      defer(session.lasting(), error.deferred, { place, call, execute });
    throw error;
  }
}

/** Sees to it that a deferred call is made: once in this process, and once at all, however many see to it. */
export function defer<T>(session: AmbientSession, waiting: Waiting, later: Later<T>): Deferral {
  const { root, parts } = session;
  const known = root.deferred.get(waiting.approval);
  if (known && !(known.settled && isUndecided(known.settled))) return known;
  const looked = Promise.withResolvers<void>();
  const { stretch } = ambient.getStore() ?? {};
  // Outside of any body: what it does is an action of its agent's own.
  const frame = { session, ...(stretch && { stretch }) };
  const outcome = ambient.run(frame, () => joined(session, later, looked.resolve));
  const deferral: Deferral = {
    ...waiting,
    receipt: receiptOf(waiting.approval),
    path: parts.path,
    call: { callId: later.place.callId, args: later.call.args },
    looked: looked.promise,
    outcome: outcome.then((ended) => {
      deferral.settled = ended;
      looked.resolve();
      if (!isOpen(deferral)) forgetComplete(session);
      return ended;
    }),
  };
  root.deferred.set(waiting.approval, deferral);
  return deferral;
}

/** One waits for all sessions of the process that want to know; should its session end first, another goes on. */
async function joined<T>(
  session: AmbientSession,
  later: Later<T>,
  looked: () => void,
): Promise<DeferredOutcome> {
  const { deferring } = session.deployment;
  const { id } = later.place;
  for (let before = deferring.get(id); before; before = deferring.get(id)) {
    looked();
    const ended = await before;
    if (!isUndecided(ended) || session.signal.aborted) return ended;
  }
  const own = outcomeOf(session, later, looked).finally(() => deferring.delete(id));
  deferring.set(id, own);
  return own;
}

async function outcomeOf<T>(
  session: AmbientSession,
  later: Later<T>,
  looked: () => void,
): Promise<DeferredOutcome> {
  const { deployment, vault, signal } = session;
  try {
    for (let seen = 0; !signal.aborted;) {
      const row = (await deployment.engine.approval(later.place.id))!;
      const { spent, decisions, expires } = row;
      if (spent || decisions.length > seen || expires <= deployment.clock()) {
        seen = decisions.length;
        const { state } = await standingOf(deployment, vault, row, holdersOf(session));
        const outcome = spent || state !== "waiting" ? await made(session, later, row) : undefined;
        if (outcome) return outcome;
      }
      looked();
      await sleep(LOOK_EVERY, undefined, { signal }).catch(() => {});
    }
    return refused(over(signal.reason));
  } catch (error) {
    return refused(BehestError.isInstance(error) ? error : lost(error));
  }
}

/** Somebody else is at it, or has decided since: then it is looked again. */
const AGAIN: ReadonlySet<Code> = new Set<Code>(["approval_deferred", "approval_needed", "action_running"]);

/** The call as it was asked for, decided on as any other. The framework's own signal ended with the loop that made it. */
async function made<T>(
  session: AmbientSession,
  { place, call, execute }: Later<T>,
  row: StoredApproval,
): Promise<DeferredOutcome | undefined> {
  const { args } = openAsked(session.vault, row);
  try {
    const asked = { ...call, args, given: undefined, signal: undefined };
    return await perform(session, asked, execute, { place, later: true });
  } catch (error) {
    if (!BehestError.isInstance(error)) throw error;
    return AGAIN.has(error.code) ? undefined : refused(error);
  }
}

function refused(error: BehestError): DeferredOutcome {
  return { outcome: "refused", code: error.code, error };
}

function over(reason: unknown): BehestError {
  if (BehestError.isInstance(reason) && reason.code === "session_ended") return reason;
  const message = "session_ended: the session ended before persons had decided.";
  return new BehestError("session_ended", message, { cause: reason });
}

function lost(cause: unknown): BehestError {
  const message = "store_failed: how a deferred action stands could not be found out. Nothing was started.";
  return new BehestError("store_failed", message, { cause });
}
