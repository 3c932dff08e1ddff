import { randomUUID } from "node:crypto";
import type { Json } from "@behest/jws";
import { ambient } from "../session/ambient.ts";
import { STOPPED } from "../checks/lineage.ts";
import { denied } from "../error.ts";
import { type TurnRecord, interaction } from "./interaction.ts";
import { journalPlace, journalRow, noteTurn, openRow } from "./journal.ts";
import type { LiveSession } from "../session/live.ts";
import { textOf } from "./written.ts";

export interface TurnRequest {
  /** The framework's own count of invocations that are given equal messages inside one run and spawn path. */
  readonly ordinal?: string;
  /** What the model is given, without ids that differ from one asking to the next. */
  readonly messages: readonly unknown[];
  /** What stands for a message, a tool or an answer that is not JSON. */
  json(value: unknown): Json;
}

export interface TurnHandle {
  /** Recorded before: hand this back instead of asking the model. */
  readonly replay: Json | undefined;
  /** The same over every replay; of a fresh turn, until {@link TurnRecord.id} gives it another. */
  readonly id: string;
  /** Its response is what a later {@link TurnHandle.replay} gives. Resolves when durable. */
  record(turn: TurnRecord): Promise<void>;
  /** The model failed to answer: the same question, asked again, is this one and not the next. */
  abandon(): void;
}

/**
 * One turn of a model, asked or replayed. The journal key is (run, spawn path, ordinal, messages, how
 * often this was asked here), so that a resumed run asks the model nothing twice, and a second agent with
 * the same prompt is still asked. Rejects when the session is over: the stop between two steps.
 */
export async function openTurn(session: LiveSession, request: TurnRequest): Promise<TurnHandle> {
  const { deployment, root } = session;
  const current = await deployment.revocations.isCurrent();
  const stopped = session.stopped(deployment.clock()) ?? (current ? undefined : "revocation_stale");
  if (stopped) throw denied(stopped, STOPPED[stopped], "");
  if (session.parts.registered) await session.parts.registered;
  const text = session.prompt.text(request.messages, request.json);
  const place = root.durable
    ? journalPlace(session, `${enclosing()}|${request.ordinal ?? ""}`, text)
    : undefined;
  const recorded = place && (await deployment.engine.recall(place.run, place.key));
  if (recorded) {
    const { id, replay, calls, model } = openRow(session, place, recorded.sealed);
    root.turns.set(session.turnKey(id), { model, place: Promise.resolve(recorded) });
    noteTurn(session, calls);
    return { replay, id, record: () => Promise.resolve(), abandon: () => {} };
  }
  const now = session.listed && (await session.stoppedNow());
  if (now) {
    place?.abandon();
    throw denied(now, STOPPED[now], "");
  }
  const fresh = randomUUID();
  return {
    replay: undefined,
    id: fresh,
    async record(turn) {
      const id = turn.id ?? fresh;
      const { model } = turn;
      const calls = turn.calls.length;
      const response = textOf(turn.response, request.json);
      const tools = session.offered.text(turn.tools, request.json);
      const append = {
        ...interaction(session, id, turn, { instruction: text, tools, response }),
        ...(place && { journal: journalRow(session, place, { id, calls, model, response }) }),
      };
      const written = session.written(deployment.engine.append(append)).then((placed) => {
        // Another process has taken the same run up and was first: its answer is the run's.
        if (place && placed.again)
          throw denied("action_running", "this run is being taken up elsewhere.", "");
        return placed;
      });
      root.turns.set(session.turnKey(id), { model, place: written });
      // Whoever calls a tool of this turn meets the failure; nobody else needs to.
      written.catch(() => {});
      await written;
      noteTurn(session, calls);
    },
    abandon: () => place?.abandon(),
  };
}

/** The guarded call around a turn: an agent inside a tool is told apart from its siblings. */
function enclosing(): string {
  const call = ambient.getStore()?.call;
  return call ? `${call.turn}/${call.callId}${call.ordinal}` : "";
}
