import type { Manifest } from "@behest/provenance";
import type { Place } from "./place.ts";
import type { Arguments } from "./arguments.ts";
import { toolLabel } from "./label.ts";
import { type AmbientSession, type EnclosingCall, ambient } from "../session/ambient.ts";
import { type Outdated, begin, overtaken } from "./begin.ts";
import { runBody } from "./body.ts";
import { type Account, type Reservation, policyAccounts, reservationsOf } from "../budget/budget.ts";
import type { Call, Execute } from "./call.ts";
import { spent } from "../checks/budget.ts";
import { STOPPED, type Stopped } from "../checks/lineage.ts";
import { credentialFor } from "./credential.ts";
import { recordDenial } from "./denial.ts";
import type { BehestError } from "../error.ts";
import { finish } from "./finish.ts";
import { givenKey } from "./given.ts";
import { judge } from "./judge.ts";
import { watchList } from "./listed.ts";
import type { LiveSession } from "../session/live.ts";
import { receiptAgain, resolveAsk } from "../approval/ask.ts";
import { measureOverride, warnOfOverride } from "../approval/break-glass.ts";
import { type Grounds, isDecidedSince } from "./grounds.ts";
import { type Draft, prepare } from "../record/record.ts";
import { replay } from "./replay.ts";
import { type ActionSpan, actionSpan } from "../record/span.ts";
import type { Finding, Outcome, Verdict } from "../types.ts";

/**
 * authorize → begin → body → finish. Rejects with a BehestError where nothing was started. `later`: the call was
 * deferred, and is made by whoever has waited for persons.
 */
export async function perform<T>(
  session: AmbientSession,
  call: Call<T>,
  execute: Execute<T>,
  { place, later = false }: { readonly place: Place; readonly later?: boolean },
): Promise<Outcome<T>> {
  const span = actionSpan(session, toolLabel(call.tool, session.tools), place.callId);
  session.waiting.delete(place.id);
  // What was signed ahead, and did not hold when the action began.
  const without = new Set<string>();
  // Whether persons were asked about what is permitted is not looked up: the store refuses to begin it, and then it is.
  let asked = false;
  return span.enter(async () => {
    try {
      for (;;) {
        const { manifest } = session.deployment;
        const { draft, args, lifted } = await judge(session, call, place, { without, asked });
        const { verdict } = draft.verdict;
        const receipt = later ? undefined : await receiptAgain(session, draft);
        if (receipt) throw receipt;
        if (!args || (verdict === "deny" && !lifted)) throw await recordDenial(session, draft, span);
        const resolved =
          verdict === "permit" && !asked
            ? { draft, grounds: {} }
            : await resolveAsk(session, { draft, call, lifted, without, later }, span);
        if ("waiting" in resolved) throw resolved.waiting;
        if ("refused" in resolved) throw await recordDenial(session, resolved.refused, span);
        const started = await start(session, call, { ...resolved, args, span, execute, manifest });
        if ("outdated" in started) {
          // Once that is done, by which it is judged then.
          await session.deployment.under(async () => {});
          continue;
        }
        if (!("lost" in started)) return started;
        for (const id of started.lost) without.add(id);
        asked = true;
      }
    } catch (error) {
      span.end((error as { code?: string }).code ?? "error");
      throw error;
    }
  });
}

interface Started<T> {
  readonly draft: Draft;
  readonly args: Arguments;
  readonly span: ActionSpan;
  readonly execute: Execute<T>;
  readonly grounds: Grounds;
  readonly manifest: Manifest;
}

/** It is to be judged again: persons were asked about it, or what was signed ahead (named) holds no longer. */
interface Lost {
  readonly lost: readonly string[];
}

async function start<T>(
  session: AmbientSession,
  call: Call<T>,
  s: Started<T>,
): Promise<Outcome<T> | Lost | Outdated> {
  const { draft, span, grounds, manifest } = s;
  const { credentials, clock } = session.deployment;
  // Whatever could throw has to before something is begun that would then have no outcome.
  const signal = call.signal ? AbortSignal.any([session.signal, call.signal]) : session.signal;
  const { accounts = [], rests = [] } = grounds;
  const reservations = reservationsOf(
    [...accountsFor(session, draft.verdict), ...accounts],
    draft.class.amount,
  );
  const prepared = await prepare(session, draft);
  const given = givenKey(session, call);
  const request = { prepared, given, reservations, trace: span.trace, grounds, manifest };
  const beginning = await begin(session, request);
  if ("outdated" in beginning) return beginning;
  if ("stopped" in beginning) throw await recordStopped(session, s, beginning.stopped);
  const { begun, attempt } = beginning;
  if (begun.begun === "refused" && begun.code === "approval_needed") {
    const ahead = rests.flatMap(({ id }) => (id === draft.place.id ? [] : [id]));
    const again = rests.length === 0 || ahead.length > 0 || (await isDecidedSince(session, rests[0]!));
    if (again) return { lost: ahead };
    throw await recordUnapproved(session, s);
  }
  if (begun.begun === "refused" && begun.code === "budget_spent") {
    const reservation = reservations[begun.charge]!;
    const mandate = rests[accounts.indexOf(reservation.account)];
    if (mandate) return { lost: [mandate.id] };
    if (session.deployment.enforce !== "shadow" || session.accounts.includes(reservation.account))
      throw await recordSpent(session, s, reservation);
    return start(session, call, { ...s, draft: triedOn(draft, reservation) });
  }
  if (begun.begun !== "started") {
    const replayed = replay(session, call, draft, begun);
    span.end();
    return replayed;
  }
  session.root.denials = 0;
  const { override } = grounds;
  span.prove({ action: draft.place.id, verdict: "permit", placed: begun.placed!, override });
  if (override !== undefined) {
    warnOfOverride(session.deployment, rests[0]!.id);
    const tool = toolLabel(draft.tool, session.tools);
    measureOverride(tool);
    const about = { principal: session.vault.principal, session: session.id, tool };
    session.deployment.alerts.overridden("used", rests[0]!.id, about);
  }

  const from = clock();
  const handed = credentials && (await credentialFor(session, credentials, draft.tool, signal));
  const running = { draft, span, attempt, from, reservations, action: begun.placed! };
  if (handed && "outcome" in handed) return finish(session, call, running, handed);
  const { stretch } = ambient.getStore() ?? {};
  const { turn, callId, ordinal } = draft.place;
  const { name, value } = handed?.credential ?? {};
  const inside: EnclosingCall = { turn, callId, ordinal, nested: 0, credential: value };
  const frame = { session, ...(stretch && { stretch }), call: inside };
  const unwatch = watchList(session);
  const ended =
    (await overtaken(session, prepared)) ??
    (await runBody(frame, { signal, leaves: call.leaves }, () => s.execute(s.args.value, { signal })));
  unwatch();
  inside.credential = undefined;
  return finish(session, call, { ...running, credential: name }, ended);
}

/** The chain's limits, and those of the policies that permit it. */
function accountsFor({ accounts, vault, parts }: LiveSession, { findings }: Verdict): readonly Account[] {
  const limits = findings.flatMap((finding) => finding.limits ?? []);
  return [...accounts, ...policyAccounts(vault, parts.hops, limits)];
}

/** Under shadow: started without the limit of a policy that has no room for it, and that is recorded. */
function triedOn(draft: Draft, { account, of }: Reservation): Draft {
  const findings = draft.verdict.findings.map((finding) =>
    finding.limits
      ? { ...finding, limits: finding.limits.filter((limit) => limit !== account.limit) }
      : finding,
  );
  return {
    ...draft,
    verdict: { verdict: "permit", findings: [...findings, spent(draft.tool, account, of)] },
  };
}

/** What the checks permitted, and somebody has revoked since. */
function recordStopped(
  session: LiveSession,
  { draft, span }: Pick<Started<unknown>, "draft" | "span">,
  code: Stopped,
): Promise<BehestError> {
  const finding: Finding = { check: "lineage", code, message: STOPPED[code] };
  return recordDenial(session, { ...draft, verdict: { verdict: "deny", findings: [finding] } }, span);
}

/** What was approved, and holds no longer: it has started on it before, or its time is over. */
function recordUnapproved(
  session: LiveSession,
  { draft, span }: Pick<Started<unknown>, "draft" | "span">,
): Promise<BehestError> {
  const message = `${toolLabel(draft.tool, session.tools)}: what it was approved by holds no longer. It is not tried again.`;
  const findings = [
    ...draft.verdict.findings,
    { check: "approval", code: "approval_denied", message } as const,
  ];
  return recordDenial(session, { ...draft, verdict: { verdict: "deny", findings } }, span);
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
