import { type Account, BEYOND, beyond } from "../budget/budget.ts";
import type { Finding } from "../types.ts";
import type { Wanted } from "./wanted.ts";

/**
 * What can be said of the delegation's limits without a counter. Whether there is room left is decided in the store,
 * by the transaction that takes it: {@link spent}. The limits of policies are looked at where policies are.
 */
export function budget({ session: { accounts }, tool, class: c }: Wanted): Finding | undefined {
  if (accounts.length === 0) return undefined;
  const over = beyond(accounts, c);
  if (over) return refusal(over.code, `${over.bound.path}.amount`, `${tool}: ${BEYOND[over.code]}`);
  const rule = accounts.map(({ path }) => path).join(" ");
  return { check: "budget", code: "ok", rule, message: "within the limits" };
}

/** There is no room for it. */
export function spent(tool: string, { path }: Account, of: "calls" | "amount"): Finding {
  const why = of === "calls" ? "as many calls as may be made have been made." : BEYOND.budget_spent;
  return refusal("budget_spent", `${path}.${of}`, `${tool}: ${why}`);
}

function refusal(code: keyof typeof BEYOND, path: string, message: string): Finding {
  return { check: "budget", code, path, message };
}
