import { checkArguments } from "@behest/delegation";
import { named } from "../action/arguments.ts";
import { toolLabel } from "../action/label.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * The leaf names the tool, and every argument lies within its constraints (closed world). Where nothing was
 * delegated that cannot be asked, and what the other checks find is what is to be seen.
 */
export function grant({ session, tool, args }: Wanted): Finding {
  if (session.observed)
    return { check: "grant", code: "ok", rule: "observed", message: "there is no grant to be within" };
  const refusal = checkArguments(session.tools, tool, named(args));
  if (!refusal) return { check: "grant", code: "ok", rule: session.leaf.hash, message: "within the grant" };
  if (refusal.code === "tool_not_granted")
    return {
      check: "grant",
      code: refusal.code,
      message: `${toolLabel(tool, session.tools)}: this tool was not delegated.`,
    };
  const { code, path, constraint, argument } = refusal;
  // An argument the grant does not name was named by the model: it may hold anything, so it stays unnamed.
  if (constraint === undefined || argument === undefined)
    return {
      check: "grant",
      code,
      path: `tools.${tool}`,
      message: `${tool}: an argument was not delegated.`,
    };
  const message = `${tool}: argument "${argument}" is outside what was delegated (${constraint}).`;
  return { check: "grant", code, rule: constraint, path, message };
}
