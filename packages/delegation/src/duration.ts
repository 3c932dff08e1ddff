import { DelegationError } from "./error.ts";

/** Seconds, or a whole number with its unit: `"30s"`, `"5m"`, `"1h"`, `"7d"`. */
export type Duration = number | `${number}${"s" | "m" | "h" | "d"}`;

const SHAPE = /^([1-9][0-9]{0,8})([smhd])$/;
const UNIT: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Whole seconds of a duration, at least 1 (`malformed_request`). */
export function seconds(duration: Duration): number {
  const match = typeof duration === "string" ? SHAPE.exec(duration) : null;
  const value = match ? Number(match[1]) * UNIT[match[2]!]! : duration;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1)
    throw new DelegationError(
      "malformed_request",
      'expiresIn: a duration is whole seconds > 0, or such as "30s", "5m", "1h", "7d"',
    );
  return value;
}
