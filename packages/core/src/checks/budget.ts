import { type Account, beyond } from "../budget.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What can be said of the delegation's limits without a counter. Whether there is room left is decided in the store,
 * by the transaction that takes it: {@link spent}. The limits of policies are looked at where policies are.
 */
export function budget({ session: { accounts }, tool, class: c }: Wanted): Finding | undefined {
  if (accounts.length === 0) return undefined;
  const over = beyond(accounts, c);
  if (over?.code === "budget_spent") return spent(tool, over.bound, "amount");
  if (over)
    return {
      check: "budget",
      code: over.code,
      path: `${over.bound.path}.amount`,
      message: `${tool}: its profile does not say what it spends, and amounts were limited.`,
    };
  const rule = accounts.map(({ path }) => path).join(" ");
  return { check: "budget", code: "ok", rule, message: "within the limits" };
}

/** There is no room for it. Neither the amount, nor what is left, nor a currency is told. */
export function spent(tool: string, { path }: Account, of: "calls" | "amount"): Finding {
  const message =
    of === "calls"
      ? `${tool}: as many calls as may be made have been made.`
      : `${tool}: it would spend more than may be spent.`;
  return { check: "budget", code: "budget_spent", path: `${path}.${of}`, message };
}
