import type { Json } from "@behest/jws";
import type { Decimal } from "./constraint.ts";

/*
 * Exact amounts, as text, because a double cannot hold most of them:
 *
 *   decimal = ["-"] ("0" / digit1-9 *digit) ["." 1*digit]     at most 38 digits, no exponent, no "-0"
 *
 * Zeros at the end of a fraction carry no value: "12.50" equals "12.5". As an argument, a JSON number is the decimal that
 * it prints as (RFC 8785), if that is one: 12.5, not 1e21.
 */
const SHAPE = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;
const MOST_DIGITS = 38;

export function isDecimal(value: unknown): value is string {
  if (typeof value !== "string" || value.length > MOST_DIGITS + 2) return false;
  const match = SHAPE.exec(value);
  if (!match || match[2]!.length + (match[3]?.length ?? 0) > MOST_DIGITS) return false;
  return match[1] === "" || /[1-9]/.test(value);
}

/** Below zero when `a` is the smaller, zero when they are equal; both must be decimals. */
export function compareDecimals(a: string, b: string): number {
  const places = Math.max(fraction(a).length, fraction(b).length);
  const difference = scaled(a, places) - scaled(b, places);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Exact, without zeros at the end of its fraction. Both must be decimals; a sum of many may outgrow 38 digits. */
export function addDecimals(a: string, b: string): string {
  const places = Math.max(fraction(a).length, fraction(b).length);
  const sum = scaled(a, places) + scaled(b, places);
  const digits = String(sum < 0n ? -sum : sum).padStart(places + 1, "0");
  const whole = digits.slice(0, digits.length - places);
  const rest = digits.slice(digits.length - places).replace(/0+$/, "");
  return `${sum < 0n ? "-" : ""}${whole}${rest && `.${rest}`}`;
}

/** Whether both bounds are decimals, in order. */
export function isDecimalRule({ min, max }: { readonly min?: unknown; readonly max?: unknown }): boolean {
  if (min !== undefined && !isDecimal(min)) return false;
  if (max !== undefined && !isDecimal(max)) return false;
  return min === undefined || max === undefined || compareDecimals(min, max) <= 0;
}

export function matchesDecimal({ min, max }: Decimal, value: Json): boolean {
  const text = typeof value === "number" ? String(value) : value;
  if (!isDecimal(text)) return false;
  return (
    (min === undefined || compareDecimals(min, text) <= 0) &&
    (max === undefined || compareDecimals(text, max) <= 0)
  );
}

/** Each bound of `parent` is one of `child` too, no looser. */
export function decimalWithin(parent: Decimal, child: Decimal): boolean {
  return (
    (parent.min === undefined || (child.min !== undefined && compareDecimals(parent.min, child.min) <= 0)) &&
    (parent.max === undefined || (child.max !== undefined && compareDecimals(child.max, parent.max) <= 0))
  );
}

/** The decimals within both; `undefined` when there are none. */
export function commonDecimals(a: Decimal, b: Decimal): Decimal | undefined {
  const min = tighter(a.min, b.min, 1);
  const max = tighter(a.max, b.max, -1);
  const common: Decimal = {
    constraint_type: "decimal",
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
  return isDecimalRule(common) ? common : undefined;
}

/** The one of two bounds that leaves less: the greater one with `sign` 1, the smaller one with -1. */
function tighter(a: string | undefined, b: string | undefined, sign: 1 | -1): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareDecimals(a, b) * sign >= 0 ? a : b;
}

function fraction(text: string): string {
  const dot = text.indexOf(".");
  return dot < 0 ? "" : text.slice(dot + 1);
}

function scaled(text: string, places: number): bigint {
  const digits = fraction(text);
  return BigInt(text.replace(".", "") + "0".repeat(places - digits.length));
}
