import { compareDecimals } from "@behest/delegation";
import { type Account, isSomething, mostOf } from "../budget.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What can be said of limits without a counter: the amount is known wherever one is limited, and no limit is below
 * it. Only a read is taken to spend nothing where its profile does not say. Whether there is room left is decided
 * in the store, by the transaction that takes it: {@link spent}.
 */
export function budget({
  session: { accounts },
  tool,
  class: { amount, effect },
}: Wanted): Finding | undefined {
  if (accounts.length === 0) return undefined;
  const [limited] = accounts.filter(({ limit }) => limit.amount);
  if (limited && !amount && effect !== "read")
    return {
      check: "budget",
      code: "amount_unknown",
      path: `${limited.path}.amount`,
      message: `${tool}: its profile does not say what it spends, and amounts were limited.`,
    };
  const below = accounts.find(
    ({ limit }) =>
      limit.amount &&
      amount &&
      isSomething(amount) &&
      compareDecimals(amount.value, mostOf(limit.amount, amount.currency)) > 0,
  );
  if (below) return spent(tool, below, "amount");
  const rule = accounts.map(({ path }) => path).join(" ");
  return { check: "budget", code: "ok", rule, message: "within the limits" };
}

/** There is no room for it. Neither the amount, nor what is left, nor a currency is told. */
export function spent(tool: string, { path }: Account, of: "calls" | "amount"): Finding {
  const message =
    of === "calls"
      ? `${tool}: as many calls as were delegated have been made.`
      : `${tool}: it would spend more than was delegated.`;
  return { check: "budget", code: "budget_spent", path: `${path}.${of}`, message };
}
