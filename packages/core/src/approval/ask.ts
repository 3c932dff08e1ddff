import { type Json, canonical, parseJson } from "@behest/jws";
import { ambient } from "../session/ambient.ts";
import { type Asked, type DeferredCall, type Need, newNonce } from "./approval.ts";
import { strictest } from "../checks/approval.ts";
import type { Call } from "../action/call.ts";
import { type BehestError, type Waiting, waitsFor } from "../error.ts";
import { holdersOf } from "./enrolled.ts";
import { measureAsk, rulesOf } from "./fatigue.ts";
import { givenKey } from "../action/given.ts";
import { type Grounds, nothingMore } from "../action/grounds.ts";
import type { LiveSession } from "../session/live.ts";
import { mandatesFor } from "./mandates.ts";
import type { Lifted } from "./overrides.ts";
import { type Draft, type Prepared, actionEntry, argsKey, prepare } from "../record/record.ts";
import { deferredAs } from "../deferred/receipt.ts";
import type { ActionSpan } from "../record/span.ts";
import { openAsked, standingOf, wasDenied } from "./standing.ts";
import type { Rest, StoredApproval } from "../store/types.ts";
import type { Finding } from "../types.ts";

/** How long persons have, ms, where the delegation does not end before. */
const PATIENCE = 24 * 3_600_000;

/** How often persons are asked in a run that does not wait for them. */
export const MOST_DEFERRED = 100;

/** What a granted action starts on. */
interface Granted {
  readonly draft: Draft;
  readonly grounds: Grounds;
}

export type Resolution = Granted | { readonly refused: Draft } | { readonly waiting: BehestError };

/**
 * Where an action stands that only lacks signatures, that an override lets start, or that is permitted now and was asked
 * for before: asked for now, waiting, granted or refused. What was asked for stays so under the same policies, whatever
 * they say later; others that permit it need no approval, and a denial stands. The override comes last, where nothing else lets it start. Nothing is reserved; whatever is found here is
 * looked at again when the action begins.
 */
export async function resolveAsk(
  session: LiveSession,
  { draft, call, lifted, without = new Set(), later = false }: Asking,
  span: ActionSpan,
): Promise<Resolution> {
  const { engine, policies } = session.deployment;
  const prepared = await prepare(session, draft);
  const { label } = prepared;
  const row = await engine.approval(draft.place.id);
  const permitted = draft.verdict.verdict === "permit";
  if (!row && permitted) return { draft, grounds: {} };
  if (row && !isSame(session, row, prepared)) return refused(draft, conflicting(label));
  if (row && !later && isDeferred(session, row))
    return { waiting: deferredAs({ approval: row.id, tool: label }) };
  if (row) noteWaiting(session, row.id);
  const own: readonly Rest[] = row ? [{ id: row.id, decisions: row.decisions.length }] : [];
  const stop = (message: string): Resolution =>
    row?.spent ? toldOnly(draft) : refused(draft, refusal(`${label}: ${message}`));
  const standing = row && (await standingOf(session.deployment, session.vault, row, holdersOf(session)));
  if (standing?.state === "denied") return stop("a person has denied it.");
  if (standing?.state === "expired") return stop("nobody approved it in time.");
  const lifts = lifted && (await wasDenied(session, prepared)) ? undefined : lifted;
  const broken = lifts && {
    draft: lifts.draft,
    grounds: { override: lifts.override.entry, rests: [lifts.override, ...own] },
  };
  if (draft.verdict.verdict === "deny") {
    if (broken) return broken;
    return (await engine.hasBegun(draft.place.id)) ? toldOnly(draft) : stop("a person has denied the same.");
  }
  const asked = row && openAsked(session.vault, row);
  if (asked && asked.about.policy !== policies?.digest)
    return permitted
      ? { draft, grounds: { rests: own } }
      : (broken ?? stop("it was asked for under other policies. Make the call anew."));
  if (row && !isAskedFor(session, row, draft))
    return broken ?? stop("more has to be approved than was asked for.");
  if (standing?.state === "granted")
    return { draft: granted(draft), grounds: { approvals: standing.approvals, rests: own } };
  const needs = permitted && asked ? asked.needs : needsOf(draft);
  const ahead = await mandatesFor(session, draft, needs, without);
  if (ahead && !(await wasDenied(session, prepared)))
    return { draft: granted(draft), grounds: { ...ahead, rests: [...(ahead.rests ?? []), ...own] } };
  if (broken) return broken;
  if (row ? row.spent : await engine.hasBegun(draft.place.id)) return toldOnly(draft);
  const reason = asked?.why ?? why(draft);
  const defers = row ? isDeferred(session, row) : canDefer(session, call);
  if (!defers && !canWait(session, call)) return refused(draft, unable(reason));
  if (!row && defers && (await isFull(session))) return refused(draft, tooMany(label));
  const stored = row ?? (await ask(session, prepared, { given: givenKey(session, call), defers, span }));
  const waiting = { approval: stored.id, tool: label };
  if (isDeferred(session, stored)) return { waiting: deferredAs(waiting) };
  noteWaiting(session, stored.id, waiting);
  return { waiting: waitsFor(waiting, reason) };
}

function toldOnly(draft: Draft): Granted {
  return { draft: granted(draft), grounds: { rests: [nothingMore(draft.place.id)] } };
}

/** Kept with the session and with each that it was spawned from: their runs pause with it. */
function noteWaiting(session: LiveSession, action: string, waiting?: Waiting): void {
  // Taken up in a session of its own, a run may meet nothing but what waits: its model turns must stay.
  if (waiting) session.root.unanswered = true;
  for (let at: LiveSession | undefined = session; at; at = at.parts.parent)
    if (waiting) at.waiting.set(action, waiting);
    else at.waiting.delete(action);
}

/** Whether an action can wait here: the body of another that is under way cannot be stopped and started again. */
export function canWait({ parts }: LiveSession, { waits = true }: Pick<Call<never>, "waits">): boolean {
  return !ambient.getStore()?.call && (parts.waits ?? waits);
}

/** Whether an action is deferred that has to be asked for here. Another's body may have ended when persons decide. */
export function canDefer(
  { parts }: LiveSession,
  { waits = true, defers = waits }: Pick<Call<never>, "waits" | "defers">,
): boolean {
  return parts.defers && defers && !ambient.getStore()?.call;
}

/**
 * Whether nothing more is deferred in this run. Where nothing waits for it a model could ask persons for ever; and all
 * that was ever asked for counts, so that a run that is entered again is told the same.
 */
async function isFull({ deployment, vault, root }: LiveSession): Promise<boolean> {
  return (await deployment.engine.approvals(vault.name("run", root.id))).length >= MOST_DEFERRED;
}

/** Whether its agent was told to go on when it was asked for: nobody waits with the call. */
export function isDeferred({ vault }: LiveSession, row: StoredApproval): boolean {
  return openAsked(vault, row).deferred !== undefined;
}

/** The receipt of a call that was deferred before and would not be asked for now: what it was told once it is told again. */
export async function receiptAgain(session: LiveSession, draft: Draft): Promise<BehestError | undefined> {
  if (!session.parts.defers || draft.verdict.verdict === "ask") return undefined;
  const row = await session.deployment.engine.approval(draft.place.id);
  if (!row || !isDeferred(session, row)) return undefined;
  const prepared = await prepare(session, draft);
  return isSame(session, row, prepared) ? deferredAs({ approval: row.id, tool: prepared.label }) : undefined;
}

/** The parsed arguments that approval was asked for, where the same was given then. */
export async function argsAsAsked(
  session: LiveSession,
  id: string,
  call: Pick<Call<never>, "tool" | "given">,
): Promise<Json | undefined> {
  const key = givenKey(session, call);
  const row = key === undefined ? undefined : await session.deployment.engine.approval(id);
  const asked = row && openAsked(session.vault, row);
  return asked?.given === key ? asked?.args : undefined;
}

interface Asking {
  readonly draft: Draft;
  readonly call: Pick<Call<never>, "tool" | "given" | "waits" | "defers">;
  /** What it is under an override that is in force. */
  readonly lifted?: Lifted | undefined;
  /** Mandates that had no room for it when it began. */
  readonly without?: ReadonlySet<string>;
  /** It was deferred, and whoever has waited makes it now. */
  readonly later?: boolean;
}

async function ask(
  session: LiveSession,
  prepared: Prepared,
  how: { readonly given: string | undefined; readonly defers: boolean; readonly span: ActionSpan },
): Promise<StoredApproval> {
  const { deployment, vault, leaf } = session;
  const { draft, label, args } = prepared;
  const policy = deployment.policies?.digest;
  const { given, defers, span } = how;
  const { id } = draft.place;
  const asked: Asked = {
    tool: label,
    args: parseJson(draft.text),
    why: why(draft),
    principal: session.principal,
    agent: session.agent,
    needs: needsOf(draft),
    about: {
      action: id,
      leaf: leaf.hash,
      tool: label,
      args,
      nonce: newNonce(),
      ...(policy !== undefined && { policy }),
    },
    salt: vault.salt(id, "args"),
    ...(given !== undefined && { given }),
    ...(defers && { deferred: deferredCall(session, prepared) }),
  };
  const append = deployment.engine.append({
    ...actionEntry(session, prepared, { attempt: 0, trace: span.trace }),
    approval: {
      id,
      kind: "ask",
      args: argsKey(prepared),
      principal: vault.principal,
      run: vault.name("run", session.root.id),
      sealed: vault.seal(id, "approval", canonical(asked)),
      expires: Math.min(session.expires, draft.at + PATIENCE),
    },
  });
  const placed = await session.written(append);
  span.prove({ action: id, verdict: "ask", placed });
  if (!placed.again) measureAsk(rulesOf(draft.verdict));
  return (await deployment.engine.approval(id))!;
}

function deferredCall(session: LiveSession, { draft, interaction }: Prepared): DeferredCall {
  const { callId, turn } = draft.place;
  const { model } = session.turn(turn) ?? {};
  const { path } = session.parts;
  if (!interaction || model === undefined) return { callId, turn, path };
  const { index, hash } = interaction;
  return { callId, turn, path, chosen: { model, index, hash } };
}

/** The same tool and arguments, under the same chain: nobody approves one action and sees another start. */
function isSame(session: LiveSession, row: StoredApproval, prepared: Prepared): boolean {
  return row.args === argsKey(prepared) && openAsked(session.vault, row).about.leaf === session.leaf.hash;
}

/** Under the same policies more may be wanted now: they look at the time, too. What was approved for less does not start. */
function isAskedFor(session: LiveSession, row: StoredApproval, draft: Draft): boolean {
  const { needs: asked } = openAsked(session.vault, row);
  return needsOf(draft).every((need) =>
    asked.some(({ group, persons }) => group === need.group && persons >= need.persons),
  );
}

function needsOf({ verdict }: Draft): readonly Need[] {
  return strictest(verdict.findings.flatMap(({ needs = [] }) => needs));
}

function granted(draft: Draft): Draft {
  const findings = draft.verdict.findings.map((finding): Finding =>
    finding.needs ? { ...finding, code: "ok", message: "approved" } : finding,
  );
  return { ...draft, verdict: { verdict: "permit", findings } };
}

function refused(draft: Draft, finding: Finding): Resolution {
  const before = draft.verdict.findings.filter(({ needs }) => !needs);
  return { refused: { ...draft, verdict: { verdict: "deny", findings: [...before, finding] } } };
}

/** Why it is asked for. */
function why({ verdict }: Draft): string {
  return verdict.findings
    .filter(({ needs }) => needs)
    .map(({ message }) => message)
    .join(" ");
}

/** An ask that cannot wait is a denial, and nobody is asked. */
function unable(reason: string): Finding {
  const message = `${reason} It cannot wait here.`;
  return { check: "approval", code: "approval_needed", message };
}

function tooMany(label: string): Finding {
  const message = `${label}: persons have been asked as often as they may be in one run.`;
  return { check: "approval", code: "approval_needed", message };
}

function refusal(message: string): Finding {
  return { check: "approval", code: "approval_denied", message };
}

function conflicting(label: string): Finding {
  const message = `${label}: approval was asked for another call under this id.`;
  return { check: "approval", code: "action_conflict", message };
}
