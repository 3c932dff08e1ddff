import { expect, test } from "vitest";
import type { Known } from "./constraint.ts";
import { rewrap } from "./narrow.ts";
import { subsumes } from "./subsume.ts";

const range = (text: string): Known => {
  // "[1,5)" as mathematics writes it; an empty side is no bound.
  const [, open, min, max, close] = /^([[(])(-?[\d.]*),(-?[\d.]*)([\])])$/.exec(text)!;
  return {
    constraint_type: "range",
    ...(min !== "" && { min: Number(min), ...(open === "(" && { min_inclusive: false }) }),
    ...(max !== "" && { max: Number(max), ...(close === ")" && { max_inclusive: false }) }),
  };
};

test.each([
  ["[1,5]", "[1,5]", true],
  ["[1,5]", "(1,5)", true],
  ["(1,5)", "(1,5)", true],
  ["(1,5)", "[1,5)", false],
  ["(1,5)", "(1,5]", false],
  ["(1,5)", "[1.5,4]", true],
  ["[1,5]", "[0.5,5]", false],
  ["[1,5]", "[1,5.5]", false],
  ["[1,)", "[2,)", true],
  ["[1,)", "(,2]", false],
  ["(,5]", "[1,)", false],
  ["(,5]", "[1,2]", true],
  ["[1,5]", "(,)", false],
  ["(,)", "[1,5]", true],
])("a range %s takes %s: %s", (parent, child, verdict) => {
  expect(subsumes(range(parent), range(child))).toBe(verdict);
});

const email = (domain: string): Known => ({ constraint_type: "email", domain });
const address = (text: string): Known => ({ constraint_type: "email", address: text });
const path = (under: string): Known => ({ constraint_type: "path", under });
const url = (base: string): Known => ({ constraint_type: "url", base });
const decimal = (min?: string, max?: string): Known => ({
  constraint_type: "decimal",
  ...(min !== undefined && { min }),
  ...(max !== undefined && { max }),
});
const prefix = (text: string): Known => ({ constraint_type: "prefix", prefix: text });
const exact = (value: string): Known => ({ constraint_type: "exact", value });
const oneOf = (...values: string[]): Known => ({ constraint_type: "one_of", values });

test.each<[Known, Known, boolean]>([
  [email("a.test"), email("a.test"), true],
  [email("a.test"), email("b.a.test"), false],
  [email("a.test"), address("x@a.test"), true],
  [address("x@a.test"), address("x@a.test"), true],
  [address("x@a.test"), address("y@a.test"), false],
  [address("x@a.test"), email("a.test"), false],
  [email("a.test"), exact("x@A.test"), true],
  [email("a.test"), oneOf("x@a.test", "y@a.test"), true],
  [email("a.test"), oneOf("x@a.test", "y@b.test"), false],
  [path("/d"), path("/d/e"), true],
  [path("/d/e"), path("/d"), false],
  [path("/d"), path("/data"), false],
  [path("/d"), exact("/d/../e"), false],
  [path("/d"), exact("/d/../d/e"), true],
  [path("/"), path("/C:"), false],
  [path("/"), path("d"), false],
  [url("https://h.test"), url("https://h.test/p"), true],
  [url("https://h.test/p"), url("https://h.test"), false],
  [url("https://h.test/p"), url("https://h.test/pq"), false],
  [url("https://h.test/p"), exact("https://h.test/p/q?x"), true],
  [url("https://*.h.test"), url("https://*.a.h.test/p"), true],
  [url("https://*.h.test"), url("https://b.a.h.test"), true],
  [url("https://*.h.test"), url("https://*.h.test"), true],
  [url("https://*.h.test"), url("https://h.test"), false],
  [url("https://*.a.h.test"), url("https://*.h.test"), false],
  [url("https://a.h.test"), url("https://*.a.h.test"), false],
  [url("https://*.h.test"), url("https://*.ah.test"), false],
  [url("https://*.h.test"), exact("https://x.h.test/?q"), true],
  [url("https://*.h.test"), exact("https://*.h.test"), false],
  [decimal("0", "10"), decimal("0.00", "9.99"), true],
  [decimal("0", "10"), decimal("0"), false],
  [decimal("0", "10"), decimal("-0.01", "1"), false],
  [decimal(), decimal("5"), true],
  [decimal("5"), decimal(), false],
  [decimal("0", "10"), exact("10.00"), true],
  [decimal("0", "10"), { constraint_type: "exact", value: 9.99 }, true],
  [decimal("0", "10"), exact("10.01"), false],
  [decimal("0", "10"), oneOf("1", "2.50"), true],
  [decimal("0", "10"), oneOf("1", "11"), false],
  [prefix("ab"), prefix("abc"), true],
  [prefix("ab"), prefix("a"), false],
  [prefix("ab"), oneOf("ab", "abc"), true],
  [prefix("ab"), exact("a"), false],
  // Across types nothing is narrower, however it looks.
  [prefix("/d"), path("/d/e"), false],
  [path("/d"), prefix("/d/e"), false],
  [prefix("https://h.test"), url("https://h.test"), false],
  [decimal("0", "10"), range("[1,2]"), false],
  [range("[0,10]"), decimal("1", "2"), false],
  [email("a.test"), { constraint_type: "any", constraints: [email("a.test")] }, false],
])("our own types under each other: %j takes %j: %s", (parent, child, verdict) => {
  expect(subsumes(parent, child)).toBe(verdict);
});

test("a range of one value is that value, one of none is not", () => {
  const list: Known = { constraint_type: "one_of", values: [5, 6] };
  expect(rewrap(list, range("[5,5]"))).toEqual({ constraint_type: "exact", value: 5 });
  for (const none of ["(5,5]", "[5,5)", "(5,5)", "[5,6]"]) expect(rewrap(list, range(none))).toBeUndefined();
});

test("comparing deeply nested alternatives ends", () => {
  const nest = (type: "all" | "any", depth: number): Known =>
    depth === 0
      ? range("[1,5]")
      : { constraint_type: type, constraints: [nest(type, depth - 1), nest(type, depth - 1)] };
  for (const parent of ["all", "any"] as const)
    for (const child of ["all", "any"] as const) rewrap(nest(parent, 7), nest(child, 7));
  let [deepParent, deepChild]: [Known, Known] = [range("[1,5]"), range("[0,9]")];
  for (let i = 0; i < 31; i++) {
    deepParent = { constraint_type: i % 2 ? "all" : "any", constraints: [deepParent, prefix("a")] };
    deepChild = { constraint_type: i % 2 ? "any" : "all", constraints: [deepChild, prefix("b")] };
  }
  expect(rewrap(deepParent, deepChild)).toBeUndefined();
  expect(rewrap(deepChild, deepParent)).toBeUndefined();
});
