import { compareIdentity } from "@behest/delegation";
import type { LiveSession } from "../session/live.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What runs is the agent that the delegation binds, as far as it binds one. A mismatch is a finding, for the
 * deployment to judge. It names members, never their values.
 */
export function identity({ session, model, now }: Wanted): Finding | undefined {
  const { leaf, parts } = session;
  if (!leaf.identity && parts.strayed.length === 0) return undefined;
  const strayed = strayedFrom(session, model, now);
  if (strayed.length === 0) {
    const rule = parts.identity?.attested ? "attested" : "stated";
    return { check: "identity", code: "ok", rule, message: "the agent it was delegated to" };
  }
  const path = strayed.join(", ");
  const message = `this is not the agent that it was delegated to (${path}).`;
  return { check: "identity", code: "identity_mismatch", path, message };
}

/**
 * Paths of what is bound and is not so: by what the process says of itself, while that holds, and by the
 * model whose turn chose the call. What its parent strayed from when it spawned this one comes first: a
 * sub-agent without an identity of its own is no way round.
 */
export function strayedFrom(session: LiveSession, model: string | undefined, now: number): readonly string[] {
  const { strayed, identity: running } = session.parts;
  const bound = session.leaf.identity;
  if (!bound) return strayed;
  const turn = model === undefined ? {} : { model };
  const stated = running && now < running.until ? running.identity : {};
  const found = [...compareIdentity(bound, { ...turn, ...stated })];
  if (model !== undefined && bound.model !== undefined)
    found.push(...compareIdentity({ model: bound.model }, turn));
  return [...strayed, ...new Set(found.map(({ member }) => `identity.${member}`))];
}
