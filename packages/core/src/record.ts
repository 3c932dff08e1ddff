import {
  type ActionEntry,
  type Decision,
  type EntryFinding,
  type InteractionEntry,
  type OutcomeEntry,
  signActionDecision,
} from "@behest/provenance";
import { canonical } from "@behest/jws";
import { type Place } from "./action.ts";
import { toolLabel } from "./label.ts";
import type { LiveSession, TurnPlace } from "./live.ts";
import type { ActionClass } from "./profile.ts";
import type { Content, RecordRow } from "./store/types.ts";
import type { Finding, Verdict } from "./types.ts";

/** One action on its way into the log. */
export interface Draft {
  readonly place: Place;
  readonly tool: string;
  /** Canonical arguments; where they were not JSON, a text that says so. */
  readonly text: string;
  readonly class: ActionClass;
  readonly verdict: Verdict;
  /** ms since the epoch. */
  readonly at: number;
}

/** The parts of an `action` entry that do not change from one attempt to the next. */
export interface Prepared {
  readonly draft: Draft;
  readonly label: string;
  readonly args: string;
  readonly decision: string;
  readonly interaction: TurnPlace | undefined;
}

/** Commits to the arguments and has the holder sign the decision: "the agent decided this", also where it is then refused. */
export async function prepare(session: LiveSession, draft: Draft): Promise<Prepared> {
  const label = toolLabel(draft.tool, session.tools);
  const { id, turn } = draft.place;
  const args = session.vault.commit(id, "args", draft.text);
  const decided: Decision = { action: id, leaf: session.leaf.hash, tool: label, args };
  const signed = signActionDecision(decided, session.parts.holder);
  const interaction = session.turn(turn)?.place;
  return {
    draft,
    label,
    args,
    decision: typeof signed === "string" ? signed : await signed,
    interaction: await interaction,
  };
}

export interface Attempt {
  readonly attempt: number;
  readonly credential?: string | undefined;
  readonly trace?: { readonly trace: string; readonly span: string } | undefined;
}

/** The entry, its listing row, and the arguments where content is kept. */
export function actionEntry(
  session: LiveSession,
  prepared: Prepared,
  { attempt, credential, trace }: Attempt,
): { entry: string; record: RecordRow; content: Content[] } {
  const { draft, label, args, decision, interaction } = prepared;
  const { verdict, findings } = draft.verdict;
  const entry: ActionEntry = {
    v: 1,
    type: "action",
    at: new Date(draft.at).toISOString(),
    action: draft.place.id,
    attempt,
    session: session.id,
    tool: label,
    effect: draft.class.effect,
    boundary: draft.class.boundary,
    verdict,
    findings: findings.map(entryFinding),
    decision,
    ...(credential !== undefined && { credential }),
    ...(trace && { trace }),
    content: { args },
    links: { delegation: session.parts.entry, ...(interaction && { interaction: interaction.hash }) },
  };
  const record: RecordRow = {
    action: draft.place.id,
    attempt,
    session: session.id,
    principal: session.vault.principal,
    delegation: session.leaf.hash,
    tool: label,
    verdict,
    code: findings.at(-1)?.code ?? "ok",
    at: draft.at,
    agent: session.sealedAgent,
    ...(interaction && { interaction: interaction.index }),
  };
  const content = session.deployment.keep ? [kept(session, draft.place.id, "args", draft.text)] : [];
  return { entry: canonical(entry), record, content };
}

function entryFinding({ check, code, rule, path }: Finding): EntryFinding {
  return { check, code, ...(rule !== undefined && { rule }), ...(path !== undefined && { path }) };
}

/** A piece of content, sealed, under the id of its commitment. `until`: ms since the epoch; absent: until erasure. */
export function kept(
  session: LiveSession,
  subject: string,
  field: string,
  text: string,
  until?: number,
): Content {
  const { vault } = session;
  const id = vault.commit(subject, field, text);
  const sealed = vault.seal(subject, field, text);
  return { id, principal: vault.principal, sealed, ...(until !== undefined && { until }) };
}

export function outcomeEntry(entry: Omit<OutcomeEntry, "v" | "type" | "at">, at: number): string {
  return canonical({
    v: 1,
    type: "outcome",
    at: new Date(at).toISOString(),
    ...entry,
  } satisfies OutcomeEntry);
}

export function interactionEntry(entry: Omit<InteractionEntry, "v" | "type" | "at">, at: number): string {
  return canonical({
    v: 1,
    type: "interaction",
    at: new Date(at).toISOString(),
    ...entry,
  } satisfies InteractionEntry);
}
