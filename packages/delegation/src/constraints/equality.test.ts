import type { Json } from "@behest/jws";
import { expect, test } from "vitest";
import { distinct, equal, includesAll } from "./equality.ts";

const VALUES: readonly Json[] = [
  0,
  1,
  -1,
  0.5,
  "0",
  "1",
  "",
  "true",
  true,
  false,
  null,
  "null",
  [],
  {},
  [0],
  ["0"],
  [[0]],
  [0, 1],
  [1, 0],
  { a: 1 },
  { a: "1" },
  { b: 1 },
  "[0]",
  '{"a":1}',
  '"0',
  '""',
  "é",
  "e\u0301",
];

test("every way to compare agrees, however long the lists are, and no text poses as another value", () => {
  for (const [i, a] of VALUES.entries()) {
    for (const [j, b] of VALUES.entries()) {
      expect(equal(a, b)).toBe(i === j);
      expect(includesAll([b], [a])).toBe(i === j);
    }
    const others = VALUES.filter((_, j) => j !== i);
    expect(includesAll(others, [a])).toBe(false);
    expect(includesAll(others, [a, others[0]!])).toBe(false);
    expect(includesAll(VALUES, [a, others[0]!])).toBe(true);
  }
  expect(distinct([...VALUES, ...VALUES])).toEqual(VALUES);
});

test("spellings of one value are equal", () => {
  expect(equal(-0, 0)).toBe(true);
  expect(equal({ a: 1, b: [-0] }, { b: [0], a: 1 })).toBe(true);
});

test("a few large members are not read again for every element of a long list", () => {
  let reads = 0;
  const counted = (value: { readonly [name: string]: Json }): Json =>
    new Proxy(value, {
      ownKeys: (target) => {
        reads++;
        return Reflect.ownKeys(target);
      },
    });
  const whole = [1, 2, 3, 4, 5, 6, 7].map((a) => counted({ a }));
  const part = Array.from({ length: 1000 }, (_, i) => ({ a: 1 + (i % 7) }));
  expect(includesAll(whole, part)).toBe(true);
  expect(includesAll(whole, [...part, { a: 8 }])).toBe(false);
  expect(reads).toBeLessThan(100);
});
