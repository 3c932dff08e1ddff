import { isInWorkspace, isWorkspace } from "@behest/delegation";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * Nothing outside the delegation's workspace is touched, by a read neither: what a tool reads, an agent can carry
 * off. Where its profile does not say what it touches, that is outside; and so is a place whose text is not
 * well-formed, since "acme/finance/../legal" begins like "acme/finance".
 */
export function workspace({ session, tool, class: c }: Wanted): Finding | undefined {
  const delegated = session.leaf.restrictions?.workspace;
  if (delegated === undefined) return undefined;
  const refused = (message: string): Finding => ({
    check: "workspace",
    code: "workspace_refused",
    path: "workspace",
    message,
  });
  if (c.workspace === undefined)
    return refused(`${tool}: its profile does not say which workspace it touches, and one was delegated.`);
  if (!isWorkspace(c.workspace) || !isInWorkspace(delegated, c.workspace))
    return refused(`${tool}: what it touches lies outside the delegated workspace.`);
  return { check: "workspace", code: "ok", rule: session.leaf.hash, message: "within the workspace" };
}
