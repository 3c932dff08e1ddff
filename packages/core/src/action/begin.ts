import type { Effect } from "@behest/delegation";
import type { Manifest } from "@behest/provenance";
import type { Reservation } from "../budget/budget.ts";
import { STOPPED, type Stopped } from "../checks/lineage.ts";
import { denied } from "../error.ts";
import type { Unstarted } from "./body.ts";
import { toolLabel } from "./label.ts";
import type { Grounds } from "./grounds.ts";
import type { LiveSession } from "../session/live.ts";
import { type Attempt, type Prepared, actionEntry, argsKey } from "../record/record.ts";
import type { BeginResult } from "../store/types.ts";

/** An action that is to start. */
export interface Beginning {
  readonly prepared: Prepared;
  readonly given: string | undefined;
  readonly reservations: readonly Reservation[];
  readonly trace: Attempt["trace"];
  readonly grounds: Grounds;
  /** The manifest that it was judged by. */
  readonly manifest: Manifest;
}

export type Begun =
  | {
      readonly begun: Exclude<BeginResult, { begun: "retry" } | { code: "cuts_unseen" }>;
      readonly attempt: number;
    }
  | { readonly stopped: Stopped }
  | Outdated;

/** Another manifest has come into force since it was judged: nothing has begun. */
export interface Outdated {
  readonly outdated: true;
}

/**
 * Begins the attempt that is due, if what is revoked lets it: judged by all cuts that there are when it begins. Where
 * somebody has revoked meanwhile, and it concerns others, it begins all the same.
 */
export async function begin(session: LiveSession, beginning: Beginning): Promise<Begun> {
  const { effect } = beginning.prepared.draft.class;
  for (let attempt = 1; ;) {
    const found = await stoppedNow(session, effect);
    // A manifest that was taken up as that was told may have ended it: from here on nothing comes in between.
    const stopped = found ?? session.stopped(session.deployment.clock());
    if (stopped) return { stopped };
    if (!session.deployment.isInForce(beginning.manifest)) return { outdated: true };
    const begun = await tryBegin(session, beginning, attempt);
    if (begun.begun === "retry") attempt = begun.attempt;
    else if (begun.begun !== "refused" || begun.code !== "cuts_unseen") return { begun, attempt };
    else await session.deployment.revocations.catchUp();
  }
}

/** Why nothing may start in this session: as far as it is known, and where that is not known freshly enough. */
async function stoppedNow(session: LiveSession, effect: Effect): Promise<Stopped | undefined> {
  const { revocations } = session.deployment;
  const fresh = await revocations.isFresh(effect);
  const stopped = await session.stoppedNow();
  // Its issuer's list may have taken long to come.
  return stopped ?? (fresh && revocations.isStillFresh(effect) ? undefined : "revocation_stale");
}

/**
 * What has come in between for an attempt that has begun: its credential was long in coming, or this process was
 * suspended. Undefined where its body may start.
 */
export async function overtaken(session: LiveSession, { draft }: Prepared): Promise<Unstarted | undefined> {
  const { effect } = draft.class;
  if (session.deployment.revocations.isStillFresh(effect)) return undefined;
  const stopped = await stoppedNow(session, effect);
  if (!stopped) return undefined;
  const message = `${toolLabel(draft.tool, session.tools)}: ${STOPPED[stopped]}`;
  return { outcome: "aborted", error: denied(stopped, message), unstarted: true };
}

function tryBegin(
  session: LiveSession,
  { prepared, given, reservations, trace, grounds }: Beginning,
  attempt: number,
): Promise<BeginResult> {
  const { rests } = grounds;
  const { draft } = prepared;
  const { engine, revocations } = session.deployment;
  const begun = engine.begin({
    action: draft.place.id,
    args: argsKey(prepared),
    ...(given !== undefined && { given }),
    ...(rests && { rests: rests.map(({ id, decisions }) => ({ id, decisions })) }),
    attempt,
    repeatable: draft.class.effect === "read",
    expires: session.expires,
    ...revocations.judged,
    ...(reservations.length > 0 && { charges: reservations.map(({ charge }) => charge) }),
    ...actionEntry(session, prepared, { attempt, trace, grounds }),
  });
  return session.written(begun);
}
