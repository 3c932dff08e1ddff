import fc from "fast-check";
import { expect, test } from "vitest";
import { compareDecimals, isDecimal } from "./decimal.ts";

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
