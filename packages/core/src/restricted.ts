import type { Restrictions } from "@behest/delegation";
import { BehestError } from "./error.ts";

const ENFORCED: ReadonlySet<string> = new Set<keyof Restrictions>([
  "workspace",
  "limits",
  "fan_out",
  "effects",
  "approvals",
  "consent",
]);

/** Nothing that restricts a delegation is ignored: throws `delegation_invalid` for what is not enforced here yet. */
export function refuseUnenforced(restrictions: Restrictions | undefined): void {
  const names = Object.keys(restrictions ?? {}).filter((name) => !ENFORCED.has(name));
  if (names.length > 0)
    throw new BehestError(
      "delegation_invalid",
      `delegation_invalid: it is restricted by ${names.join(", ")}, which this version does not enforce. Delegate without, or wait.`,
    );
}
