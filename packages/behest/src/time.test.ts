import { expect, test } from "vitest";
import { clockTime, duration, moment, relative } from "./time.ts";

test("durations have a unit, and are at least one of it", () => {
  for (const text of ["30s", "5m", "1h", "90d"]) expect(duration("--expires", text)).toBe(text);
  for (const text of ["", "1", "1 h", "-1h", "0s", "01h", "1w", "1h30m", "1e3s"])
    expect(() => duration("--expires", text)).toThrow(/^--expires: /);
});

test("moments are how long ago, or a date or time that exists, with its zone", () => {
  expect(moment("--since", "2026-11-20")).toBe(Date.UTC(2026, 10, 20));
  expect(moment("--since", "2026-11-20T08:00+01:00")).toBe(Date.UTC(2026, 10, 20, 7));
  expect(moment("--since", "2026-11-20T08:00:01.5Z")).toBe(Date.UTC(2026, 10, 20, 8, 0, 1, 500));
  expect(moment("--since", "1d")).toBeLessThanOrEqual(Date.now() - 86_400_000);
  for (const text of [
    "",
    "yesterday",
    "99",
    "2026-02-30",
    "2026-02-30T10:00Z",
    "2026-13-01",
    "2026-11-20T25:00Z",
    "2026-11-20T08:00",
  ])
    expect(() => moment("--since", text)).toThrow(/^--since: /);
});

test("a time is told from now, and by the clock", () => {
  expect(relative(1000, 999)).toBe("in 1 s");
  expect(relative(4600, 1001)).toBe("in 60 min");
  expect(relative(0, 7200)).toBe("2 h ago");
  expect(relative(0, 200_000)).toBe("2 d ago");
  expect(clockTime(Date.UTC(2026, 10, 20, 8))).toBe("2026-11-20 08:00:00Z");
});
