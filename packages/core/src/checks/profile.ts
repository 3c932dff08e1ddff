import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What the tool can do is declared, or a person named the tool in the delegation without it and it counts
 * as irreversible and outside. A declaration that does not answer for these arguments is a denial.
 */
export function profile({ tool, class: c }: Wanted): Finding {
  if (c.invalid)
    return {
      check: "profile",
      code: "profile_invalid",
      message: `${tool}: its profile gives no class for these arguments.`,
    };
  return {
    check: "profile",
    code: "ok",
    rule: c.declared ? "declared" : "named",
    message: `${c.effect}, ${c.boundary}`,
  };
}
