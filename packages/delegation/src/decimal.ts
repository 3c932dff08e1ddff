/*
 * Exact amounts, as text, because a double cannot hold most of them:
 *
 *   decimal = ["-"] ("0" / digit1-9 *digit) ["." 1*digit]     at most 38 digits, no exponent, no "-0"
 *
 * Zeros at the end of a fraction carry no value: "12.50" equals "12.5".
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

function fraction(text: string): string {
  const dot = text.indexOf(".");
  return dot < 0 ? "" : text.slice(dot + 1);
}

function scaled(text: string, places: number): bigint {
  const digits = fraction(text);
  return BigInt(text.replace(".", "") + "0".repeat(places - digits.length));
}
