import { type Json, canonical } from "@behest/jws";
import { MAX_ENTRY } from "@behest/provenance";
import { denied } from "../error.ts";
import { label, toolLabel } from "../action/label.ts";
import type { LiveSession } from "../session/live.ts";
import { interactionEntry, kept } from "../record/record.ts";
import type { Append } from "../store/types.ts";

/** What a model was given and what it answered. */
export interface TurnRecord {
  /** What calls of this turn will name it by, where only the answer tells. */
  readonly id?: string;
  readonly model: string;
  readonly provider: string;
  readonly system?: Json;
  /** The tools offered, as the model saw them. JSON, or what `json` of the request makes it of. */
  readonly tools: readonly unknown[];
  /** What a replay hands back. JSON, or what `json` of the request makes it of. */
  readonly response: unknown;
  readonly alternatives?: Json;
  readonly reasoning?: Json;
  readonly calls: readonly { readonly callId: string; readonly tool: string }[];
}

// An entry is base64url of its text and must stay within what verifiers read.
const MAX_TEXT: number = MAX_ENTRY / 2;

/** Where nothing else of a turn is kept: retention counts from it, also when its run is forgotten. */
const MARK = "turn";
const EMPTY = new Uint8Array();

/** Canonical texts of what the model was given and what it answered. */
export interface TurnTexts {
  readonly instruction: string;
  readonly tools: string;
  readonly response: string;
}

/** The `interaction` entry of a turn, with its content where that is kept. */
export function interaction(session: LiveSession, id: string, turn: TurnRecord, texts: TurnTexts): Append {
  const { vault, deployment } = session;
  const { delegated } = session.parts;
  // A provider's id may hold anything; what it is called in the log is what its content is sealed under.
  const name = label(id) === id ? id : vault.name("turn id", id);
  const written = {
    ...texts,
    ...(turn.system !== undefined && { system: canonical(turn.system) }),
    ...(turn.alternatives !== undefined && { alternatives: canonical(turn.alternatives) }),
    ...(turn.reasoning !== undefined && { reasoning: canonical(turn.reasoning) }),
  };
  const fields = Object.entries(written);
  const commitments = Object.fromEntries(
    fields.map(([field, text]) => [field, vault.commit(name, field, text)]),
  );
  const entry = interactionEntry(
    {
      session: session.id,
      turn: name,
      model: label(turn.model),
      provider: label(turn.provider),
      calls: turn.calls.map(({ callId, tool }) => ({
        action: session.actionId(id, callId, ""),
        tool: toolLabel(tool, session.tools),
      })),
      content: commitments as Record<keyof typeof written, string>,
      ...(session.observed && session.marks),
      links: { ...(delegated && { delegation: delegated.entry }) },
    },
    deployment.clock(),
  );
  if (entry.length > MAX_TEXT)
    throw denied("too_large", "the model's turn chooses more calls than one entry can name.", "");
  const { principal } = vault;
  const content = deployment.keep
    ? fields.map(([field, text]) => kept(session, name, field, text))
    : [{ id: MARK, principal, sealed: EMPTY }];
  return { entry, principal, ...(delegated && { under: session.leaf.hash }), content };
}
