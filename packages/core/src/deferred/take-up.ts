import type { DeferredCall } from "../approval/approval.ts";
import type { Codec } from "../action/codec.ts";
import type { Execute } from "../action/call.ts";
import { defer } from "./deferred.ts";
import { type Deferral, isBelow } from "./deferral.ts";
import type { LiveSession } from "../session/live.ts";
import type { OpenSession } from "../session/session.ts";
import { openAsked } from "../approval/standing.ts";

/** What a tool's call is made with when nobody makes it any more. */
export interface LaterBody {
  /** Carries the tool's profile. */
  readonly definition?: object | undefined;
  readonly codec?: Codec<unknown> | undefined;
  readonly execute: Execute<unknown>;
}

export type BodyOf = (tool: string, call: Pick<DeferredCall, "callId" | "turn">) => LaterBody | undefined;

/**
 * Sees to what was deferred in this run, here or in sub-agents, by an earlier process: as what was asked for, under
 * the same delegations. Left aside: what another delegation deferred, tools without a body here, and what `isTold`
 * names. Resolves when each has been looked at once.
 */
export async function takeUp(
  session: OpenSession,
  bodyOf: BodyOf,
  isTold: (approval: string) => boolean,
): Promise<void> {
  const { deployment, vault, root, parts } = session;
  if (!root.durable) return;
  const found: Deferral[] = [];
  for (const row of await deployment.engine.approvals(vault.name("run", root.id))) {
    if (row.principal !== vault.principal || isTold(row.id)) continue;
    const { tool, args, about, deferred } = openAsked(vault, row);
    const body = deferred && isBelow(parts.path, deferred.path) ? bodyOf(tool, deferred) : undefined;
    const at = body && (await descend(session, deferred!.path));
    if (!at || at.leaf.hash !== about.leaf) continue;
    const { callId, turn, chosen } = deferred!;
    if (chosen && !at.turn(turn)) noteTurn(at, turn, chosen);
    const { execute, ...known } = body!;
    const call = { tool, args, callId, turn, ...known };
    const later = { place: { id: row.id, turn, callId, ordinal: "" }, call, execute };
    found.push(defer(at, { approval: row.id, tool }, later));
  }
  await Promise.all(found.map(({ looked }) => looked));
}

/** The session that stands at `path`, which is below this one. */
async function descend(session: OpenSession, path: string): Promise<OpenSession | undefined> {
  const from = session.parts.path;
  const spawns = path === from ? [] : path.slice(from === "" ? 0 : from.length + 1).split("/");
  let at: OpenSession | undefined = session;
  for (const spawn of spawns) at = await at?.spawned(spawn);
  return at;
}

function noteTurn(
  session: LiveSession,
  turn: string,
  { model, index, hash }: NonNullable<DeferredCall["chosen"]>,
): void {
  session.root.turns.set(session.turnKey(turn), { model, place: Promise.resolve({ index, hash }) });
}
