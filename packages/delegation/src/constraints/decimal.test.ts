import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addDecimals,
  commonDecimals,
  compareDecimals,
  decimalWithin,
  isDecimal,
  isDecimalRule,
  matchesDecimal,
} from "./decimal.ts";

test.each(["0", "1", "-1", "12.50", "0.01", "-0.5", "9".repeat(38), `0.${"0".repeat(36)}1`])(
  "%s is a decimal",
  (text) => {
    expect(isDecimal(text)).toBe(true);
  },
);

test.each([
  "",
  "-",
  "-0",
  "-0.00",
  "01",
  "1.",
  ".5",
  "+1",
  "1e3",
  "1,5",
  " 1",
  "1\n",
  "٣",
  "9".repeat(39),
  1,
  null,
])("%j is not one", (value) => {
  expect(isDecimal(value)).toBe(false);
});

test("zeros at the end of a fraction carry no value", () => {
  expect(compareDecimals("12.50", "12.5")).toBe(0);
  expect(compareDecimals("0", "0.000")).toBe(0);
});

test("amounts that one double cannot tell apart are told apart", () => {
  expect(compareDecimals("9007199254740993", "9007199254740992")).toBe(1);
  expect(compareDecimals("0.1", "0.10000000000000000001")).toBe(-1);
  expect(compareDecimals("-2", "-10")).toBe(1);
});

test("the order is that of the numbers, for any two", () => {
  const decimal = fc
    .tuple(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), fc.integer({ min: 0, max: 9 }))
    .map(([whole, places]) => {
      const sign = whole < 0n ? "-" : "";
      const digits = String(whole < 0n ? -whole : whole).padStart(places + 1, "0");
      const text = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
      return { text: sign + text, value: whole * 10n ** BigInt(9 - places) };
    });
  fc.assert(
    fc.property(decimal, decimal, (a, b) => {
      expect(isDecimal(a.text)).toBe(true);
      expect(compareDecimals(a.text, b.text)).toBe(a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
    }),
  );
});

test("bounds are included and exact, in text and in numbers", () => {
  const rule = { constraint_type: "decimal", min: "0.10", max: "9007199254740993" } as const;
  for (const good of ["0.1", "0.100", "9007199254740993.0", "12.50", 12.5, 0.1, 3])
    expect([good, matchesDecimal(rule, good)]).toEqual([good, true]);
  for (const bad of [
    "0.0999999999999999999999",
    "9007199254740993.000001",
    "-1",
    -1,
    0,
    1e21,
    1e-7,
    "1e2",
    "12,50",
    " 12",
    "12.5 ",
    "0x10",
    "١٢",
    "",
    "Infinity",
    true,
    null,
    ["1"],
  ])
    expect([bad, matchesDecimal(rule, bad)]).toEqual([bad, false]);
});

test("without bounds every decimal passes, and nothing else", () => {
  expect(matchesDecimal({ constraint_type: "decimal" }, "-12.5")).toBe(true);
  expect(matchesDecimal({ constraint_type: "decimal" }, -0)).toBe(true);
  expect(matchesDecimal({ constraint_type: "decimal" }, "a")).toBe(false);
});

test("bounds that are no decimals or in the wrong order are refused", () => {
  for (const good of [{}, { min: "1" }, { max: "-1.50" }, { min: "1", max: "1.0" }])
    expect([good, isDecimalRule(good)]).toEqual([good, true]);
  for (const bad of [{ min: 1 }, { max: null }, { min: "2", max: "1" }, { min: "1e2" }, { max: "" }])
    expect([bad, isDecimalRule(bad)]).toEqual([bad, false]);
});

const amount = fc.constantFrom("-1", "0", "0.0", "0.05", "0.5", "0.50", "1", "2.5", "10");
const bound = fc.option(amount, { nil: undefined });
const rule = fc
  .tuple(bound, bound)
  .map(([min, max]) => ({
    constraint_type: "decimal" as const,
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  }))
  .filter(isDecimalRule);

test("rules compare and combine as the amounts they admit", () => {
  const amounts = [
    "-99",
    "-1",
    "-0.5",
    "0",
    "0.01",
    "0.05",
    "0.2",
    "0.5",
    "0.7",
    "1",
    "2",
    "2.5",
    "5",
    "10",
    "11",
  ];
  fc.assert(
    fc.property(rule, rule, (one, other) => {
      const both = amounts.filter((each) => matchesDecimal(one, each) && matchesDecimal(other, each));
      const common = commonDecimals(one, other);
      expect(amounts.filter((each) => common && matchesDecimal(common, each))).toEqual(both);
      if (common) expect([decimalWithin(one, common), decimalWithin(other, common)]).toEqual([true, true]);
      const more = amounts.some((each) => matchesDecimal(other, each) && !matchesDecimal(one, each));
      expect(decimalWithin(one, other)).toBe(!more);
    }),
  );
});

test.each([
  ["0.1", "0.2", "0.3"],
  ["0.95", "0.05", "1"],
  ["5", "-5.00", "0"],
  ["-0.5", "0.2", "-0.3"],
  ["9".repeat(38), "1", `1${"0".repeat(38)}`],
])("%s and %s are %s", (a, b, sum) => {
  expect(addDecimals(a, b)).toBe(sum);
});

test("a sum is exact whatever is added in between and taken back again", () => {
  const decimal = fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 18n }), fc.bigInt({ min: 0n, max: 10n ** 18n }))
    .map(([whole, rest]) => `${whole}.${rest}`);
  fc.assert(
    fc.property(decimal, fc.array(decimal, { maxLength: 20 }), (first, more) => {
      const sum = more.reduce(addDecimals, first);
      expect(compareDecimals(sum, first)).toBeGreaterThanOrEqual(0);
      const back = more.reduce((left, next) => addDecimals(left, `-${next}`), sum);
      expect(compareDecimals(back, first)).toBe(0);
    }),
  );
});
