import type { Effect } from "@behest/delegation";
import { type Arguments, type Place, placeOf } from "./action.ts";
import { toolLabel } from "./label.ts";
import { type AmbientSession, type EnclosingCall, ambient } from "./ambient.ts";
import { runBody } from "./body.ts";
import { type Reservation, reservationsOf } from "./budget.ts";
import type { Call, Execute } from "./call.ts";
import { spent } from "./checks/budget.ts";
import { STOPPED, type Stopped } from "./checks/lineage.ts";
import { credentialFor } from "./credential.ts";
import { recordDenial } from "./denial.ts";
import type { BehestError } from "./error.ts";
import { finish } from "./finish.ts";
import { type Judged, judge } from "./judge.ts";
import type { LiveSession } from "./live.ts";
import { argsAsAsked, resolveAsk } from "./ask.ts";
import { type Attempt, type Draft, type Prepared, actionEntry, argsKey, prepare } from "./record.ts";
import { replay } from "./replay.ts";
import { type ActionSpan, actionSpan } from "./span.ts";
import type { BeginResult } from "./store/types.ts";
import type { Finding, Outcome } from "./types.ts";

/** authorize → begin → body → finish. Rejects with a BehestError where nothing was started. */
export async function perform<T>(
  session: AmbientSession,
  call: Call<T>,
  execute: Execute<T>,
): Promise<Outcome<T>> {
  const place = placeOf(session, call);
  const span = actionSpan(session, toolLabel(call.tool, session.tools), place.callId);
  session.waiting.delete(place.id);
  return span.enter(async () => {
    try {
      const { draft, args } = await judgeAsAsked(session, call, place);
      if (draft.verdict.verdict === "deny" || !args) throw await recordDenial(session, draft, span);
      if (draft.verdict.verdict === "permit")
        return await start(session, call, { draft, args, span, execute });
      const resolved = await resolveAsk(session, { draft, call }, span);
      if ("waiting" in resolved) throw resolved.waiting;
      if ("refused" in resolved) throw await recordDenial(session, resolved.refused, span);
      return await start(session, call, { ...resolved, args, span, execute });
    } catch (error) {
      span.end((error as { code?: string }).code ?? "error");
      throw error;
    }
  });
}

/** What is asked for is decided on as it was parsed when it was first asked for: a default may differ each time. */
async function judgeAsAsked<T>(session: LiveSession, call: Call<T>, place: Place): Promise<Judged> {
  const judged = judge(session, call, place);
  if (judged.draft.verdict.verdict !== "ask") return judged;
  const args = await argsAsAsked(session, place.id, call.given);
  return args === undefined ? judged : judge(session, { ...call, args }, place);
}

interface Started<T> {
  readonly draft: Draft;
  readonly args: Arguments;
  readonly span: ActionSpan;
  readonly execute: Execute<T>;
  /** What it starts on, where it was asked for. */
  readonly approvals?: readonly string[];
  readonly decisions?: number;
}

async function start<T>(session: AmbientSession, call: Call<T>, s: Started<T>): Promise<Outcome<T>> {
  const { draft, span } = s;
  const { credentials, clock, revocations } = session.deployment;
  // Whatever could throw has to before something is begun that would then have no outcome.
  const signal = call.signal ? AbortSignal.any([session.signal, call.signal]) : session.signal;
  const reservations = reservationsOf(session.accounts, draft.class.amount);
  const { approvals, decisions } = s;
  const request = {
    prepared: await prepare(session, draft),
    reservations,
    trace: span.trace,
    approvals,
    decisions,
  };
  const refuseStopped = async (): Promise<void> => {
    const code = await stoppedNow(session, draft.class.effect);
    if (code) throw await recordStopped(session, s, code);
  };
  await refuseStopped();
  let attempt = 1;
  let begun = await begin(session, { ...request, attempt });
  for (;;) {
    if (begun.begun === "retry") attempt = begun.attempt;
    else if (begun.begun !== "refused" || begun.code !== "cuts_unseen") break;
    else await revocations.refresh();
    await refuseStopped();
    begun = await begin(session, { ...request, attempt });
  }
  if (begun.begun === "refused" && begun.code === "budget_spent")
    throw await recordSpent(session, s, reservations[begun.charge]!);
  if (begun.begun !== "started") {
    const replayed = replay(session, call, draft, begun);
    span.end();
    return replayed;
  }
  session.root.denials = 0;
  span.prove({ action: draft.place.id, verdict: "permit", placed: begun.placed! });

  const from = clock();
  const handed = credentials && (await credentialFor(session, credentials, draft.tool, signal));
  const running = { draft, span, attempt, from, reservations, action: begun.placed! };
  if (handed && "outcome" in handed) return finish(session, call, running, handed);
  const { stretch } = ambient.getStore() ?? {};
  const { turn, callId, ordinal } = draft.place;
  const { name, value } = handed?.credential ?? {};
  const inside: EnclosingCall = { turn, callId, ordinal, nested: 0, credential: value };
  const frame = { session, ...(stretch && { stretch }), call: inside };
  const ended = await runBody(frame, { signal, leaves: call.leaves }, () =>
    s.execute(s.args.value, { signal }),
  );
  inside.credential = undefined;
  return finish(session, call, { ...running, credential: name }, ended);
}

/** Why nothing may start in this session: as far as it is known, and where that is not known freshly enough. */
async function stoppedNow(session: LiveSession, effect: Effect): Promise<Stopped | undefined> {
  const { revocations, clock } = session.deployment;
  const fresh = await revocations.isFresh(effect);
  return session.stopped(clock()) ?? (fresh ? undefined : "revocation_stale");
}

function recordStopped(
  session: LiveSession,
  { draft, span }: Pick<Started<unknown>, "draft" | "span">,
  code: Stopped,
): Promise<BehestError> {
  const finding: Finding = { check: "lineage", code, message: STOPPED[code] };
  return recordDenial(session, { ...draft, verdict: { verdict: "deny", findings: [finding] } }, span);
}

/** What the checks permitted and the counters have no room for. */
function recordSpent(
  session: LiveSession,
  { draft, span }: Pick<Started<unknown>, "draft" | "span">,
  { account, of }: Reservation,
): Promise<BehestError> {
  const passed = draft.verdict.findings.filter(({ check }) => check !== "budget");
  const findings = [...passed, spent(draft.tool, account, of)];
  return recordDenial(session, { ...draft, verdict: { verdict: "deny", findings } }, span);
}

function begin(
  session: LiveSession,
  request: Attempt & {
    readonly prepared: Prepared;
    readonly reservations: readonly Reservation[];
    readonly decisions: number | undefined;
  },
): Promise<BeginResult> {
  const { prepared, reservations, attempt, trace, approvals, decisions } = request;
  const { draft } = prepared;
  return session.deployment.engine.begin({
    action: draft.place.id,
    args: argsKey(prepared),
    ...(decisions !== undefined && { decisions }),
    attempt,
    repeatable: draft.class.effect === "read",
    expires: session.expires,
    ...session.deployment.revocations.judged,
    ...(reservations.length > 0 && { charges: reservations.map(({ charge }) => charge) }),
    ...actionEntry(session, prepared, { attempt, trace, approvals }),
  });
}
