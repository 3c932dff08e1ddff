import type { Restrictions } from "@behest/delegation";
import type { Deployment } from "../deployment.ts";
import { BehestError } from "../error.ts";

const ENFORCED: ReadonlySet<string> = new Set<keyof Restrictions>([
  "workspace",
  "limits",
  "fan_out",
  "effects",
  "approvals",
  "consent",
]);

/** Nothing that restricts a delegation is ignored: throws `delegation_invalid` for what is not enforced here. */
export function refuseUnenforced(
  restrictions: Restrictions | undefined,
  { status }: Pick<Deployment, "status">,
): void {
  for (const name of Object.keys(restrictions ?? {})) {
    if (ENFORCED.has(name) || (name === "status" && status)) continue;
    const advice =
      name === "status"
        ? "whose list is not looked up here. Pass createBehest({ status: fetch })"
        : "which this version does not enforce. Delegate without, or wait";
    throw new BehestError(
      "delegation_invalid",
      `delegation_invalid: it is restricted by ${name}, ${advice}.`,
    );
  }
}
