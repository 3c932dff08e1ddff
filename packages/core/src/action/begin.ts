import type { Effect } from "@behest/delegation";
import type { Reservation } from "../budget/budget.ts";
import type { Stopped } from "../checks/lineage.ts";
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
}

export type Begun =
  | {
      readonly begun: Exclude<BeginResult, { begun: "retry" } | { code: "cuts_unseen" }>;
      readonly attempt: number;
    }
  | { readonly stopped: Stopped };

/**
 * Begins the attempt that is due, if what is revoked lets it: judged by all cuts that there are when it begins. Where
 * somebody has revoked meanwhile, and it concerns others, it begins all the same.
 */
export async function begin(session: LiveSession, beginning: Beginning): Promise<Begun> {
  const { effect } = beginning.prepared.draft.class;
  for (let attempt = 1; ;) {
    const stopped = await stoppedNow(session, effect);
    if (stopped) return { stopped };
    const begun = await tryBegin(session, beginning, attempt);
    if (begun.begun === "retry") attempt = begun.attempt;
    else if (begun.begun !== "refused" || begun.code !== "cuts_unseen") return { begun, attempt };
    else await session.deployment.revocations.catchUp();
  }
}

/** Why nothing may start in this session: as far as it is known, and where that is not known freshly enough. */
async function stoppedNow(session: LiveSession, effect: Effect): Promise<Stopped | undefined> {
  const fresh = await session.deployment.revocations.isFresh(effect);
  return (await session.stoppedNow()) ?? (fresh ? undefined : "revocation_stale");
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
