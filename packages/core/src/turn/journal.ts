import { type Json, canonical } from "@behest/jws";
import { ambient } from "../session/ambient.ts";
import { background } from "../deployment.ts";
import { isOpen } from "../deferred/deferral.ts";
import type { LiveSession } from "../session/live.ts";
import type { JournalRow } from "../store/types.ts";

/** A turn as the journal keeps it. */
export interface Kept {
  readonly id: string;
  /** What hands the answer back. */
  readonly replay: Json;
  /** How many calls it chose. */
  readonly calls: number;
  /** What answered. */
  readonly model: string;
}

/** A question's place in the journal. */
export interface Place {
  readonly run: string;
  readonly key: string;
  /** It was not answered: the next time the same question is this one. */
  abandon(): void;
}

export function journalPlace(session: LiveSession, ordinal: string, messages: string): Place {
  const { vault, root, asked, parts, agent } = session;
  const question = vault.name("asked", ordinal, messages);
  const before = asked.get(question) ?? 0;
  // At once: the same question asked in parallel is another one.
  asked.set(question, before + 1);
  return {
    run: vault.name("run", root.id),
    key: vault.name("turn", root.id, parts.path, agent, question, String(before)),
    abandon: () => {
      if (asked.get(question) === before + 1) asked.set(question, before);
    },
  };
}

/** `response`: JSON text of what hands the answer back. */
export function journalRow(
  { vault, expires }: LiveSession,
  { run, key }: Place,
  { id, calls, model, response }: Omit<Kept, "replay"> & { readonly response: string },
): JournalRow {
  const text = `{"calls":${calls},"id":${canonical(id)},"model":${canonical(model)},"replay":${response}}`;
  const sealed = vault.seal(key, "journal", text);
  return { run, key, sealed, principal: vault.principal, until: expires };
}

export function openRow({ vault }: LiveSession, { key }: Place, sealed: Uint8Array): Kept {
  return JSON.parse(vault.open(key, "journal", sealed)) as Kept;
}

/**
 * Notes what a turn means for its run. Only the root agent's own turns count: one that chose calls leaves
 * the run unfinished, whatever settles meanwhile (a pause does); one that chose none ends it, at once where
 * no `session.run` is open that will end it.
 */
export function noteTurn(session: LiveSession, calls: number): void {
  const around = ambient.getStore();
  const frame = around?.session.root === session.root ? around : undefined;
  if (session.parts.parent || frame?.call) return;
  session.root.unanswered = calls > 0;
  session.root.complete = false;
  if (calls === 0 && !frame?.stretch) endRun(session);
}

/** A `session.run` is over; with the last one that is under way in a run, the run has settled. */
export function endStretch(
  session: LiveSession,
  { failed, outermost }: { failed: boolean; outermost: boolean },
): void {
  const { root } = session;
  if (outermost) root.failed ||= failed;
  if (--root.open > 0) return;
  endRun(session);
  root.failed = false;
}

/** The run has settled: its turns are forgotten, unless it failed or is unfinished and may be taken up again. */
function endRun(session: LiveSession): void {
  const { root } = session;
  // Whatever runs next in this session takes the run up again, from its first question.
  session.asked.clear();
  session.prompt.forget();
  session.offered.forget();
  root.complete = !root.failed && !root.unanswered && root.durable;
  forgetComplete(session);
}

/** What is still to be done may be asked for again: until then its run can be entered, and its model is not asked anew. */
export function forgetComplete({ root, deployment, vault }: LiveSession): void {
  if (!root.complete || [...root.deferred.values()].some(isOpen)) return;
  background(deployment, deployment.engine.forget(vault.name("run", root.id)));
}
