import { randomUUID } from "node:crypto";
import { type Json, canonical } from "@behest/jws";
import { label, toolLabel } from "./label.ts";
import { denied } from "./error.ts";
import type { LiveSession } from "./live.ts";
import { interactionEntry, kept } from "./record.ts";
import type { Append } from "./store/types.ts";

/** What a model was given and what it answered. */
export interface TurnRecord {
  readonly model: string;
  readonly provider: string;
  readonly system?: Json;
  /** The tools offered, as the model saw them. */
  readonly tools: Json;
  readonly response: Json;
  readonly alternatives?: Json;
  readonly reasoning?: Json;
  readonly calls: readonly { readonly callId: string; readonly tool: string }[];
}

export interface TurnRequest {
  /** Tells apart invocations that are given equal messages inside one run and spawn path. */
  readonly ordinal?: string;
  /** What the model is given, without ids that differ from one asking to the next. */
  readonly messages: Json;
  /** Id for a fresh turn; default: random. */
  readonly turnId?: string;
}

export interface TurnHandle {
  /** Recorded before: hand this back instead of asking the model. */
  readonly replay: Json | undefined;
  /** The same over every replay. */
  readonly id: string;
  /** `replay`: what a later {@link TurnHandle.replay} gives. Resolves when durable. */
  record(turn: TurnRecord, replay: Json): Promise<void>;
}

/**
 * One turn of a model, asked or replayed. The journal key is (run, spawn path, ordinal, messages, how
 * often this was asked here), so that a resumed run asks the model nothing twice, and a second agent with
 * the same prompt is still asked. Rejects when the session is over: the stop between two steps.
 */
export async function openTurn(session: LiveSession, request: TurnRequest): Promise<TurnHandle> {
  const { deployment, vault, root } = session;
  const stopped = session.stopped(deployment.clock());
  if (stopped)
    throw denied(
      stopped,
      stopped === "delegation_expired" ? "the delegation has expired." : "the session has ended.",
      "",
    );
  const text = canonical(request.messages);
  const asked = vault.name("asked", request.ordinal ?? "", text);
  const count = session.asked.get(asked) ?? 0;
  const key = vault.name("turn", root.id, session.parts.path, asked, String(count));
  const run = vault.name("run", root.id);
  const recorded = root.durable ? await deployment.engine.recall(run, key) : undefined;
  if (recorded) {
    session.asked.set(asked, count + 1);
    const { id, replay } = JSON.parse(vault.open(key, "journal", recorded.sealed)) as {
      id: string;
      replay: Json;
    };
    root.turns.set(id, Promise.resolve(recorded));
    return { replay, id, record: () => Promise.resolve() };
  }
  const id = request.turnId ?? randomUUID();
  return {
    replay: undefined,
    id,
    async record(turn, replay) {
      session.asked.set(asked, count + 1);
      const journal = root.durable && {
        run,
        key,
        sealed: vault.seal(key, "journal", canonical({ id, replay })),
        principal: vault.principal,
        until: session.expires,
      };
      const written = deployment.engine.append({
        ...interaction(session, id, text, turn),
        ...(journal && { journal }),
      });
      root.turns.set(id, written);
      // Whoever calls a tool of this turn meets the failure; nobody else needs to.
      written.catch(() => {});
      await written;
    },
  };
}

function interaction(session: LiveSession, id: string, messages: string, turn: TurnRecord): Append {
  const { vault, deployment } = session;
  // A provider's id may hold anything; what it is called in the log is what its content is sealed under.
  const name = label(id) === id ? id : vault.name("turn id", id);
  const texts = {
    instruction: messages,
    tools: canonical(turn.tools),
    response: canonical(turn.response),
    ...(turn.system !== undefined && { system: canonical(turn.system) }),
    ...(turn.alternatives !== undefined && { alternatives: canonical(turn.alternatives) }),
    ...(turn.reasoning !== undefined && { reasoning: canonical(turn.reasoning) }),
  };
  const fields = Object.entries(texts);
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
      content: commitments as Record<keyof typeof texts, string>,
      links: { delegation: session.parts.entry },
    },
    deployment.clock(),
  );
  return deployment.keep
    ? { entry, content: fields.map(([field, text]) => kept(session, name, field, text)) }
    : { entry };
}
