import type { Duration } from "@behest/delegation";
import { CliError } from "./error.ts";

const DURATION = /^([1-9][0-9]{0,8})([smhd])$/;
const SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 };
const MOMENT =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/;

/** `30s`, `5m`, `1h`, `7d`; throws `malformed_time`. */
export function duration(option: string, text: string): Duration {
  if (!DURATION.test(text))
    throw new CliError("malformed_time", `${option}: write a duration such as 30s, 5m, 1h or 7d.`);
  return text as Duration;
}

/** That long ago, or an ISO 8601 date (UTC) or time with its zone → ms since the epoch; throws `malformed_time`. */
export function moment(option: string, text: string): number {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (unit !== undefined) return Date.now() - Number(count) * SECONDS[unit]! * 1000;
  const [, date] = MOMENT.exec(text) ?? [];
  // A day that does not exist would be moved to one that does.
  if (
    date === undefined ||
    Number.isNaN(Date.parse(text)) ||
    new Date(date).toISOString().slice(0, 10) !== date
  )
    throw new CliError(
      "malformed_time",
      `${option}: write how long ago (1h) or when (2026-11-20, 2026-11-20T08:00Z).`,
    );
  return Date.parse(text);
}

/** `in 59 min`, `3 h ago`: seconds since the epoch, against now. */
export function relative(seconds: number, now: number = Date.now() / 1000): string {
  const distance = Math.abs(seconds - now);
  const [unit, name] = [[86_400, "d"] as const, [3600, "h"] as const, [60, "min"] as const].find(
    ([u]) => distance >= 2 * u,
  ) ?? [1, "s"];
  const text = `${Math.round(distance / unit)} ${name}`;
  return seconds >= now ? `in ${text}` : `${text} ago`;
}

/** `2026-11-20 08:00:00Z`: ms since the epoch. */
export function clockTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
