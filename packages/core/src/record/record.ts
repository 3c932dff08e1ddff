import {
  type ActionEntry,
  type Decision,
  type EntryFinding,
  type EntryPayload,
  type InteractionEntry,
  type OutcomeEntry,
  signActionDecision,
} from "@behest/provenance";
import { canonical } from "@behest/jws";
import { type Place } from "../action/place.ts";
import type { Grounds } from "../action/grounds.ts";
import { toolLabel } from "../action/label.ts";
import type { LiveSession, TurnPlace } from "../session/live.ts";
import { termsOf } from "./terms.ts";
import type { ActionClass } from "../profile/profile.ts";
import type { Content, RecordRow } from "../store/types.ts";
import type { Finding, Verdict } from "../types.ts";

/** One action on its way into the log. */
export interface Draft {
  readonly place: Place;
  readonly tool: string;
  /** Canonical arguments; where they were not JSON, a text that says so. */
  readonly text: string;
  /** What policies were decided on beside them, where they were evaluated. */
  readonly facts?: string | undefined;
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
  readonly facts: string | undefined;
  /** Undefined where the session is observed: no key is bound to anything. */
  readonly decision: string | undefined;
  readonly interaction: TurnPlace | undefined;
}

/** Commits to the arguments and has the holder sign the decision: "the agent decided this", also where it is then refused. */
export async function prepare(session: LiveSession, draft: Draft): Promise<Prepared> {
  const { delegated, registered } = session.parts;
  if (registered) await registered;
  const label = toolLabel(draft.tool, session.tools);
  const { id, turn } = draft.place;
  const args = session.vault.commit(id, "args", draft.text);
  const decided: Decision = { action: id, leaf: session.leaf.hash, tool: label, args };
  const signed = delegated && signActionDecision(decided, delegated.holder);
  const interaction = session.turn(turn)?.place;
  return {
    draft,
    label,
    args,
    facts: draft.facts === undefined ? undefined : session.vault.commit(id, "facts", draft.facts),
    decision: signed instanceof Promise ? await signed : signed,
    interaction: await interaction,
  };
}

/** Stands for the tool and its arguments in the store: equality only. */
export function argsKey({ label, args }: Prepared): string {
  return `${label}:${args}`;
}

export interface Attempt {
  readonly attempt: number;
  readonly trace?: { readonly trace: string; readonly span: string } | undefined;
  readonly grounds?: Grounds | undefined;
}

/** The entry, its listing row, and the arguments where content is kept. */
export function actionEntry(
  session: LiveSession,
  prepared: Prepared,
  { attempt, trace, grounds }: Attempt,
): { entry: string; record: RecordRow; content: Content[] } {
  const { draft, label, args, facts, decision, interaction } = prepared;
  const { verdict, findings } = draft.verdict;
  const { policies } = session.deployment;
  const { delegated } = session.parts;
  const { enforce, observed } = session.marks;
  const { approvals, override } = grounds ?? {};
  const entry = entryText({
    action: draft.place.id,
    at: new Date(draft.at).toISOString(),
    attempt,
    boundary: draft.class.boundary,
    content: { args, ...(facts !== undefined && { facts }) },
    ...(decision !== undefined && { decision }),
    effect: draft.class.effect,
    ...(enforce && { enforce }),
    findings: findings.map(entryFinding),
    links: {
      ...(approvals && approvals.length > 0 && { approvals }),
      ...(delegated && { delegation: delegated.entry }),
      ...(interaction && { interaction: interaction.hash }),
      ...(override !== undefined && { override }),
    },
    ...(observed && { observed }),
    ...(policies && { policy: policies.digest }),
    session: session.id,
    tool: label,
    ...(trace && { trace: { span: trace.span, trace: trace.trace } }),
    type: "action",
    v: 1,
    verdict,
  } satisfies ActionEntry);
  const record: RecordRow = {
    action: draft.place.id,
    attempt,
    session: session.id,
    principal: session.vault.principal,
    ...(delegated && { delegation: session.leaf.hash }),
    tool: label,
    verdict,
    code: findings.at(-1)?.code ?? "ok",
    at: draft.at,
    agent: session.sealedAgent,
    ...(interaction && { interaction: interaction.index }),
  };
  const content = session.deployment.keep ? [kept(session, draft.place.id, "args", draft.text)] : [];
  if (session.deployment.keep && draft.facts !== undefined)
    content.push(kept(session, draft.place.id, "facts", draft.facts));
  content.push(...termsOf(session.vault, label, draft.text, draft.class.profile?.control));
  return { entry, record, content };
}

function entryFinding({ check, code, rule, path }: Finding): EntryFinding {
  return { check, code, ...(path !== undefined && { path }), ...(rule !== undefined && { rule }) };
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
  const { action, attempt, code, content, credential, ended, links, outcome, started } = entry;
  return entryText({
    action,
    at: new Date(at).toISOString(),
    attempt,
    code,
    content,
    ...(credential !== undefined && { credential }),
    ...(ended !== undefined && { ended }),
    links,
    outcome,
    ...(started !== undefined && { started }),
    type: "outcome",
    v: 1,
  } satisfies OutcomeEntry);
}

export function interactionEntry(entry: Omit<InteractionEntry, "v" | "type" | "at">, at: number): string {
  const { calls, content, enforce, links, model, observed, provider, session, turn } = entry;
  const { alternatives, instruction, reasoning, response, system, tools } = content;
  return entryText({
    at: new Date(at).toISOString(),
    calls: calls.map(({ action, tool }) => ({ action, tool })),
    content: {
      ...(alternatives !== undefined && { alternatives }),
      instruction,
      ...(reasoning !== undefined && { reasoning }),
      response,
      ...(system !== undefined && { system }),
      tools,
    },
    ...(enforce && { enforce }),
    links,
    model,
    ...(observed && { observed }),
    provider,
    session,
    turn,
    type: "interaction",
    v: 1,
  } satisfies InteractionEntry);
}

/**
 * Canonical JSON of an entry whose members, at every depth, stand in canonical order already: then the engine's own
 * serialiser writes it. Throws FormatError `not_json` for a lone surrogate, which alone it writes as an escape.
 */
export function entryText(entry: EntryPayload): string {
  const text = JSON.stringify(entry);
  return text.includes("\\ud") ? canonical(JSON.parse(text)) : text;
}
