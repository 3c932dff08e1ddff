import { conflict } from "../failure.ts";
import { askedBefore, ruleDelegation } from "../rules.ts";
import type { Append } from "../types.ts";
import type { Approvals } from "./approvals.ts";
import type { Contents } from "./contents.ts";
import type { Entries } from "./entries.ts";

/** Index of what the request would store a second time. Inside a transaction. */
export function storedBefore(
  { once, delegation, journal, approval }: Append,
  {
    approvals,
    contents,
    entries,
  }: { readonly approvals: Approvals; readonly contents: Contents; readonly entries: Entries },
  now: number,
): number | undefined {
  if (approval) return askedBefore(approvals.get(approval.id), approval);
  if (delegation) {
    const stored = contents.delegation(delegation);
    const ruling = ruleDelegation(stored, delegation);
    if (ruling === "action_conflict") throw conflict();
    if (ruling === "again") return stored?.index;
  }
  const denied = once === undefined ? undefined : contents.once(once);
  // What was pruned is recorded anew.
  if (denied !== undefined && !entries.isGone(denied)) return denied;
  return journal && contents.turn(journal.run, journal.key, now);
}
