import { expect, test } from "vitest";
import { Bursts } from "./burst.ts";

test("a burst is told once, then once in so long at most, with how many there were", () => {
  const bursts = new Bursts(3, 1000);
  const told = [0, 10, 20, 30, 500, 1019, 1020, 1030].map((now) => bursts.note("a", now));
  expect(told).toEqual([undefined, undefined, 3, undefined, undefined, undefined, 4, undefined]);
});

test("as many over a longer time, or of several names, are none", () => {
  const bursts = new Bursts(3, 1000);
  for (const now of [0, 600, 1200, 1800, 2400]) expect(bursts.note("slow", now)).toBeUndefined();
  for (let i = 0; i < 5000; i++) expect(bursts.note(`n${i}`, 0)).toBeUndefined();
});

test("a clock that is set back keeps nothing quiet", () => {
  const bursts = new Bursts(1, 1000);
  expect(bursts.note("a", 1_000_000)).toBe(1);
  expect(bursts.note("a", 1_000_500)).toBeUndefined();
  expect(bursts.note("a", 10)).toBe(2);
});
