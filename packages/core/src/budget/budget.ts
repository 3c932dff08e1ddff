import { type Effect, type HopClaims, type Limit, compareDecimals } from "@behest/delegation";
import type { Amount } from "./amount.ts";
import type { Vault } from "../record/content.ts";
import { type PolicyLimit, pathOf } from "../policy/limit.ts";
import type { Charge } from "../store/types.ts";

/** A limit that counts for an action: of the chain, at the token that carries it, or of a policy that permits it. */
export interface Account {
  /** `hops.<depth>.limits.<scope>`, `policies.<id>.limits.<scope>` */
  readonly path: string;
  readonly limit: Limit;
  /** Begins the names of its counters; absent where an action is not counted together with others. */
  readonly counter: string | undefined;
  /** ms since the epoch. */
  readonly until: number;
}

/** Root first. `action` and `lifetime` are the leaf's alone; every token's `subtree` counts. */
export function accountsOf(vault: Vault, hops: readonly HopClaims[]): readonly Account[] {
  return hops.flatMap(({ restrictions, exp }, depth) => {
    const own =
      depth === hops.length - 1 ? (["action", "lifetime", "subtree"] as const) : (["subtree"] as const);
    return own.flatMap((scope) => {
      const limit = restrictions?.limits?.[scope];
      if (!limit) return [];
      const counter = scope === "action" ? undefined : counterOf(vault, scope, hops[depth]!);
      return [{ path: `hops.${depth}.limits.${scope}`, limit, counter, until: exp * 1000 }];
    });
  });
}

/**
 * The limits of policies: a `lifetime` is counted at the leaf, a `subtree` at the root, hence with all that was ever
 * derived from it. The policy's id names the counter and not what it says: raising a limit gives back nothing.
 */
export function policyAccounts(
  vault: Vault,
  hops: readonly HopClaims[],
  limits: readonly PolicyLimit[],
): readonly Account[] {
  return limits.map((limit) => {
    const { rule, per } = limit;
    const hop = per === "subtree" ? hops[0]! : hops.at(-1)!;
    const counter = per === "action" ? undefined : counterOf(vault, per, hop, rule);
    return { path: pathOf(limit), limit, counter, until: hop.exp * 1000 };
  });
}

/**
 * A counter belongs to its token by the hash of what was signed, which holds the hashes of all tokens above. Whoever
 * signs chooses the jti: nobody can choose one to spend from another's counter.
 */
function counterOf(vault: Vault, kind: string, { hash }: HopClaims, ...rule: readonly string[]): string {
  return vault.name("counter", kind, hash, ...rule);
}

/** What is told of it: neither the amount, nor what is left, nor a currency. */
export const BEYOND = {
  amount_unknown: "its profile does not say what it spends, and amounts are limited.",
  budget_spent: "it would spend more than may be spent.",
} as const;

/** A limit, and how findings name it. */
type Bound = Pick<Account, "path" | "limit">;

/**
 * The first of these that an action cannot keep, as far as no counter is needed to say so: its amount is known
 * wherever one is limited, and no limit is below it. Only a read is taken to spend nothing where its profile does
 * not say.
 */
export function beyond<B extends Bound>(
  bounds: readonly B[],
  { amount, effect }: { readonly amount?: Amount; readonly effect: Effect },
): { readonly code: keyof typeof BEYOND; readonly bound: B } | undefined {
  const limited = bounds.filter(({ limit }) => limit.amount);
  const [first] = limited;
  if (first && !amount && effect !== "read") return { code: "amount_unknown", bound: first };
  const below = limited.find(
    ({ limit }) =>
      amount &&
      isSomething(amount) &&
      compareDecimals(amount.value, mostOf(limit.amount!, amount.currency)) > 0,
  );
  return below && { code: "budget_spent", bound: below };
}

/** What an action is about to take from one counter. */
export interface Reservation {
  readonly account: Account;
  readonly of: "calls" | "amount";
  readonly charge: Charge;
}

export function reservationsOf(
  accounts: readonly Account[],
  amount: Amount | undefined,
): readonly Reservation[] {
  const spends = amount && isSomething(amount) ? amount : undefined;
  return accounts.flatMap((account) => {
    const { counter, until, limit } = account;
    if (counter === undefined) return [];
    const found: Reservation[] = [];
    if (limit.calls !== undefined) {
      const charge = { counter: `${counter}.calls`, add: "1", most: String(limit.calls), until };
      found.push({ account, of: "calls", charge });
    }
    if (limit.amount && spends) {
      const { value, currency } = spends;
      const most = mostOf(limit.amount, currency);
      found.push({
        account,
        of: "amount",
        charge: { counter: `${counter}.${currency}`, add: value, most, until },
      });
    }
    return found;
  });
}

/** Nothing of a currency that is not named. */
function mostOf(amount: Required<Limit>["amount"], currency: string): string {
  return Object.hasOwn(amount, currency) ? amount[currency]! : "0";
}

/** An amount of zero spends nothing, hence of any currency. */
function isSomething({ value }: Amount): boolean {
  return compareDecimals(value, "0") > 0;
}

/** Counts a child at its parent, the last of `hops`; undefined where that one may have as many as it likes. */
export function childCharge(vault: Vault, hops: readonly HopClaims[]): Charge | undefined {
  const parent = hops.at(-1);
  const most = parent?.restrictions?.fan_out;
  if (!parent || most === undefined) return undefined;
  return {
    counter: counterOf(vault, "children", parent),
    add: "1",
    most: String(most),
    until: parent.exp * 1000,
  };
}
