import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What the tool can do is declared, or a person named the tool in the delegation without it and it counts
 * as irreversible and outside. A declaration that does not answer for these arguments (its class, workspace or amount)
 * is a denial, and so is an effect that the delegation does not allow.
 */
export function profile({ session, tool, class: c }: Wanted): Finding {
  if (c.invalid)
    return {
      check: "profile",
      code: "profile_invalid",
      message: `${tool}: its profile does not answer as it has to for these arguments.`,
    };
  if (session.leaf.restrictions?.effects?.includes(c.effect) === false)
    return {
      check: "profile",
      code: "effect_not_granted",
      message: `${tool}: what it does counts as ${c.effect}, which was not delegated.`,
    };
  return {
    check: "profile",
    code: "ok",
    rule: c.declared ? "declared" : "named",
    message: `${c.effect}, ${c.boundary}`,
  };
}
