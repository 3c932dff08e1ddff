import { isCurrency, isDecimal } from "@behest/delegation";

/** What one action spends: a decimal that is not negative, of a currency. */
export interface Amount {
  readonly value: string;
  readonly currency: string;
}

/**
 * A profile's answer, each member read once. A number is the decimal it prints as (RFC 8785): 12.5, not 1e21. Throws
 * where the answer is no amount.
 */
export function readAmount(answer: { readonly value: unknown; readonly currency: unknown }): Amount {
  const { value, currency } = answer;
  const text = typeof value === "number" ? String(value) : value;
  if (!isDecimal(text) || text.startsWith("-") || !isCurrency(currency))
    throw new TypeError("a profile's amount is not one");
  return { value: text, currency };
}
