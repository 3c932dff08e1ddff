import { readAmount } from "../budget/amount.ts";
import { BEYOND, beyond } from "../budget/budget.ts";
import type { Asking } from "./answer.ts";
import { type PolicyLimit, limitsOf, pathOf } from "./limit.ts";
import type { Reads } from "./reads.ts";
import { type PolicyRequest, callOf } from "./request.ts";
import type { PolicyAsk, PolicyRule } from "./rule.ts";
import type { PolicySchema } from "./schema.ts";
import { Unfit } from "./values.ts";

/**
 * What policies say of one action. `rules`: ids of those that decided. `reasons`: what the person and the model are
 * told. `limits`: those of every policy that permits it, or will once it is approved; all of them count.
 */
export type PolicyDecision =
  | {
      readonly decision: "permit";
      readonly rules: readonly string[];
      readonly reasons: readonly string[];
      readonly limits?: readonly PolicyLimit[];
    }
  | {
      readonly decision: "ask";
      readonly rules: readonly string[];
      readonly reasons: readonly string[];
      /** One per group. */
      readonly asks: readonly PolicyAsk[];
      readonly limits?: readonly PolicyLimit[];
    }
  | {
      readonly decision: "deny";
      readonly rules: readonly string[];
      readonly reasons: readonly string[];
      /** Nothing was decided: a policy could not be evaluated, or the arguments are not what the schema declares. */
      readonly failed?: true;
      /** It is permitted, and beyond a limit, whatever was taken before. `path`: `policies.<id>.limits.<scope>.amount`. */
      readonly beyond?: { readonly code: keyof typeof BEYOND; readonly path: string };
      /** Where an override lifts it. */
      readonly limits?: readonly PolicyLimit[];
    };

/** Policies that Cedar holds ready. */
export interface Prepared {
  readonly schema: PolicySchema;
  readonly reads: Reads;
  readonly rules: ReadonlyMap<string, PolicyRule>;
  readonly all: Asking;
  /** Without those that ask. */
  readonly unasked: Asking;
  /** Without those that forbid. */
  readonly permits: Asking;
}

/** Synchronous. Whatever goes wrong is a denial. `lifted`: an override is in force, which lifts forbids and no limits. */
export function decideBy(prepared: Prepared, request: PolicyRequest, lifted: boolean): PolicyDecision {
  try {
    return decided(prepared, request, lifted);
  } catch (error) {
    return error instanceof Unfit ? failed([], `${error.message}.`) : failed([]);
  }
}

function decided(prepared: Prepared, request: PolicyRequest, lifted: boolean): PolicyDecision {
  const { schema, reads, rules } = prepared;
  const call = callOf(request, schema, reads);
  const text = JSON.stringify(call);
  const first = prepared.all(call, text);
  if (first.decision === "failed") return failed(first.rules);
  if (first.decision === "allow")
    return limited(
      { decision: "permit", rules: first.rules, reasons: [] },
      limitsOf(rules, first.rules),
      request,
    );
  const forbids = first.rules.map((id) => rules.get(id)!);
  const hard = forbids.filter(({ ask }) => !ask);
  if (forbids.length === 0) return denied([]);
  if (hard.length > 0) {
    if (!lifted) return denied(hard);
    const permits = prepared.permits(call, text);
    if (permits.decision === "failed") return failed(permits.rules);
    return limited(denied(hard), limitsOf(rules, permits.rules), request);
  }
  const second = prepared.unasked(call, text);
  if (second.decision === "failed") return failed(second.rules);
  if (second.decision === "deny") return denied([]);
  const asks = strictest(forbids.flatMap(({ ask }) => ask ?? []));
  const decision = { decision: "ask", rules: first.rules, reasons: reasonsOf(forbids), asks } as const;
  return limited(decision, limitsOf(rules, second.rules), request);
}

/** What no counter is needed to see; whether there is room left is decided when the action starts. */
function limited(
  decision: PolicyDecision,
  limits: readonly PolicyLimit[],
  { amount, effect }: PolicyRequest,
): PolicyDecision {
  if (limits.length === 0) return decision;
  const bounds = limits.map((limit) => ({ path: pathOf(limit), limit }));
  const over = beyond(bounds, { effect, ...(amount && { amount: readAmount(amount) }) });
  if (!over) return { ...decision, limits };
  const { code, bound } = over;
  return {
    decision: "deny",
    rules: [bound.limit.rule],
    reasons: [BEYOND[code]],
    beyond: { code, path: `${bound.path}.amount` },
  };
}

function denied(forbids: readonly PolicyRule[]): PolicyDecision {
  const reasons = forbids.length === 0 ? ["no policy permits it."] : reasonsOf(forbids);
  return { decision: "deny", rules: forbids.map(({ id }) => id), reasons };
}

function failed(
  rules: readonly string[],
  reason: string = "the policies could not be evaluated for it.",
): PolicyDecision {
  return { decision: "deny", rules, reasons: [reason], failed: true };
}

function reasonsOf(rules: readonly PolicyRule[]): string[] {
  const reasons = new Set(rules.flatMap(({ reason }) => reason ?? []));
  return reasons.size === 0 ? ["a policy forbids it."] : [...reasons];
}

/** The most persons that any policy asks for of each group. */
function strictest(asks: readonly PolicyAsk[]): PolicyAsk[] {
  const groups = new Map<string, number>();
  for (const { group, need } of asks) groups.set(group, Math.max(need, groups.get(group) ?? 0));
  return [...groups]
    .map(([group, need]) => ({ group, need }))
    .toSorted((a, b) => (a.group < b.group ? -1 : 1));
}
