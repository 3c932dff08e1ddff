import type { Json } from "@behest/jws";
import { compareDecimals, isDecimal } from "../constraints/decimal.ts";
import { type Member, asObject, closed, isCount } from "./member.ts";

/**
 * What is counted together: one `action`; the actions whose leaf is this very token, over its `lifetime`; or
 * those of this token and of every token below it, its `subtree`.
 */
export type LimitScope = "action" | "lifetime" | "subtree";

export type Limit = {
  /** Number of actions; not with `action`. */
  readonly calls?: number;
  /** Currency → decimal. No other currency may be spent; with `{}`, none. */
  readonly amount?: { readonly [currency: string]: string };
};

/** Each scope is counted at every token that carries it, so that a call counts at all of its ancestors. */
export type ScopedLimits = { readonly [scope in LimitScope]?: Limit };

const CURRENCY = /^[A-Z][A-Z0-9]{2,9}$/;
const MOST_CURRENCIES = 32;

/** ISO 4217 codes among others: an upper-case letter, then 2 to 9 of them or digits. */
export function isCurrency(value: unknown): value is string {
  return typeof value === "string" && CURRENCY.test(value);
}

/** A child carries its parent's scopes, each no higher, and no currency that its parent does not. */
export const limits: Member<ScopedLimits> = {
  read(value) {
    const scopes = closed(value, ["action", "lifetime", "subtree"]);
    if (!scopes) return undefined;
    for (const [scope, limit] of Object.entries(scopes)) if (!isLimit(limit, scope)) return undefined;
    return scopes as ScopedLimits;
  },
  keeps: (parent, child) =>
    scopesOf(parent).every((scope) => child[scope] !== undefined && isWithin(parent[scope]!, child[scope])),
  over: (parent, wanted) => each(parent, wanted, (held, asked) => ({ ...held, ...asked })),
  meet: (a, b) => each(a, b, lower),
};

function scopesOf(limits: ScopedLimits): readonly LimitScope[] {
  return Object.keys(limits) as LimitScope[];
}

function each(a: ScopedLimits, b: ScopedLimits, join: (held: Limit, asked: Limit) => Limit): ScopedLimits {
  const joined = scopesOf(b).map((scope) => [scope, a[scope] ? join(a[scope], b[scope]!) : b[scope]!]);
  return { ...a, ...(Object.fromEntries(joined) as ScopedLimits) };
}

function isLimit(value: Json, scope: string): boolean {
  const limit = closed(value, scope === "action" ? ["amount"] : ["calls", "amount"]);
  if (!limit) return false;
  const { calls, amount } = limit;
  if (calls !== undefined && !isCount(calls, 0)) return false;
  if (amount === undefined) return true;
  const currencies = asObject(amount);
  return (
    currencies !== undefined &&
    Object.keys(currencies).length <= MOST_CURRENCIES &&
    Object.entries(currencies).every(
      ([name, most]) => isCurrency(name) && isDecimal(most) && !most.startsWith("-"),
    )
  );
}

function isWithin(parent: Limit, child: Limit): boolean {
  if (parent.calls !== undefined && !(child.calls !== undefined && child.calls <= parent.calls)) return false;
  if (!parent.amount) return true;
  return (
    child.amount !== undefined &&
    Object.entries(child.amount).every(
      ([currency, most]) =>
        Object.hasOwn(parent.amount!, currency) && compareDecimals(most, parent.amount![currency]!) <= 0,
    )
  );
}

/** The lower of each; a currency that only one of them names may not be spent. */
function lower(a: Limit, b: Limit): Limit {
  const calls =
    a.calls === undefined ? b.calls : b.calls === undefined ? a.calls : Math.min(a.calls, b.calls);
  const amount = a.amount && b.amount ? lowerAmounts(a.amount, b.amount) : (a.amount ?? b.amount);
  return { ...(calls !== undefined && { calls }), ...(amount && { amount }) };
}

function lowerAmounts(a: Required<Limit>["amount"], b: Required<Limit>["amount"]): Required<Limit>["amount"] {
  const common = Object.keys(b).filter((currency) => Object.hasOwn(a, currency));
  return Object.fromEntries(
    common.map((currency) => [
      currency,
      compareDecimals(a[currency]!, b[currency]!) <= 0 ? a[currency]! : b[currency]!,
    ]),
  );
}
