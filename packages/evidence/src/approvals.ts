import type { PolicyDecision } from "@behest/core/replay";
import { CodedError, parseJson, splitCompact } from "@behest/jws";
import type { ActionEntry, ApprovalEntry } from "@behest/provenance";
import type { KnownDelegation } from "./chains.ts";
import { type Judged, PROVEN } from "./grants.ts";

/**
 * Whether an attempt rests on as many persons of each group as its policies and its delegation ask for. That each of them
 * signed, was enrolled and counts once is what the log was verified for. Undefined where nothing asks.
 */
export function judgeApprovals(
  entry: ActionEntry,
  linked: readonly ApprovalEntry[],
  { delegation, decided }: { delegation: KnownDelegation | undefined; decided: PolicyDecision | undefined },
): Judged | undefined {
  const { tool, verdict, links, enforce } = entry;
  const asked = decided?.decision === "ask" ? decided.asks : [];
  const required = delegation?.verified?.restrictions?.approvals ?? {};
  const wanted = ["*", tool].flatMap((name) =>
    Object.hasOwn(required, name) ? Object.entries(required[name]!) : [],
  );
  const needs = [...asked.map(({ group, need }) => [group, need] as const), ...wanted];
  if (verdict !== "permit" || needs.length === 0) return undefined;
  // Neither rests on approvals, and both are said in the record itself.
  if (enforce === "shadow" || links.override !== undefined) return undefined;
  const given = linked.map(groupOf);
  const short = needs.find(([group, need]) => given.filter((one) => one === group).length < need);
  if (!short) return PROVEN;
  const message = "fewer persons have approved it than its policies or its delegation ask for";
  return { state: "failed", code: "approvals_short", message };
}

/** For which group it was signed. */
function groupOf({ kind, decision }: ApprovalEntry): string | undefined {
  if (kind === "override") return undefined;
  try {
    const said = parseJson(splitCompact(decision).payload) as { readonly group?: string } | null;
    return said?.group;
  } catch (error) {
    if (CodedError.isInstance(error)) return undefined;
    throw error;
  }
}
