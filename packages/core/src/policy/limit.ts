import { type Limit, type LimitScope, isCurrency, isDecimal } from "@behest/delegation";
import type { PolicyRule } from "./rule.ts";

/** What a policy limits in one scope; amounts of other currencies than those that it names are not spent at all. */
export interface PolicyLimit extends Limit {
  /** Id of the policy. */
  readonly rule: string;
  /** One `action`; all under one delegation, over its `lifetime`; or all under one root delegation and those below it, its `subtree`. */
  readonly per: LimitScope;
}

// limits = clause *( ";" clause )                  each scope once
// clause = part *( "," part ) [ "per" scope ]      calls, and each currency, once; subtree where no scope is said
// part   = ( "1 call" / count "calls" ) / ( decimal currency )
// scope  = "action" / "lifetime" / "subtree"       no calls per action
const CALLS = /^(?:(1)\s+call|([1-9][0-9]{0,14})\s+calls)$/;
const AMOUNT = /^(\S+)\s+(\S+)$/;

/** `@limit("20 calls, 500 EUR per subtree; 50 EUR per action")`, or what is wrong with it. */
export function readLimits(
  rule: string,
  written: string,
): readonly PolicyLimit[] | { readonly reason: string } {
  const limits: PolicyLimit[] = [];
  for (const clause of written.split(";").map((text) => text.trim())) {
    const [parts = "", per = "subtree", ...more] = clause.split(/\s+per\s+/);
    if (!isScope(per) || more.length > 0)
      return { reason: `"${clause}" is not per action, lifetime or subtree` };
    if (limits.some((limit) => limit.per === per))
      return { reason: `it limits what is taken per ${per} twice` };
    const limit = readLimit(parts);
    if ("reason" in limit) return limit;
    if (per === "action" && limit.calls !== undefined) return { reason: "one action is one call" };
    limits.push({ rule, per, ...limit });
  }
  return limits;
}

function readLimit(parts: string): Limit | { readonly reason: string } {
  let calls: number | undefined;
  const amount: { [currency: string]: string } = {};
  for (const part of parts.split(",").map((text) => text.trim())) {
    const [, one, many] = CALLS.exec(part) ?? [];
    const [, value, currency] = AMOUNT.exec(part) ?? [];
    const count = one ?? many;
    if (count === undefined && !(isDecimal(value) && !value.startsWith("-") && isCurrency(currency)))
      return { reason: `"${part}" is neither calls ("20 calls") nor an amount ("500 EUR")` };
    if (count !== undefined ? calls !== undefined : Object.hasOwn(amount, currency!))
      return { reason: `"${part}" limits what is limited already` };
    if (count !== undefined) calls = Number(count);
    else amount[currency!] = value!;
  }
  return {
    ...(calls !== undefined && { calls }),
    ...(Object.keys(amount).length > 0 && { amount }),
  };
}

function isScope(word: string): word is LimitScope {
  return word === "action" || word === "lifetime" || word === "subtree";
}

/** As `@limit` writes it. */
export function printLimit({ calls, amount = {}, per }: PolicyLimit): string {
  const counted = calls === undefined ? [] : [calls === 1 ? "1 call" : `${calls} calls`];
  const spent = Object.entries(amount).map(([currency, most]) => `${most} ${currency}`);
  return `${[...counted, ...spent].join(", ")} per ${per}`;
}

/** All that those of these policies limit: the strictest wins. */
export function limitsOf(
  rules: ReadonlyMap<string, PolicyRule>,
  permits: readonly string[],
): readonly PolicyLimit[] {
  return permits.flatMap((id) => rules.get(id)?.limits ?? []);
}

/** As findings name it. */
export function pathOf({ rule, per }: PolicyLimit): string {
  return `policies.${rule}.limits.${per}`;
}
