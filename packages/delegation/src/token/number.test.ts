import { expect, test } from "vitest";
import { parseWritten, settle } from "./number.ts";

function read(text: string): unknown {
  const { value, exact } = parseWritten(text);
  return exact ? value : settle(value);
}

test("numbers are admissible when their canonical form denotes what was written", () => {
  for (const text of [
    "0.1",
    "1e20",
    "9007199254740994",
    "100000000000000000000000",
    "1.0",
    "1E+3",
    "5e-324",
    "-0",
    "0e99",
    "0.10",
    "-0.50",
    "1e-7",
    "0.0000001",
  ])
    expect([text, read(`{"a":[${text}]}`)]).toEqual([text, { a: [Number(text)] }]);
  for (const text of [
    "9007199254740993",
    "1.00000000000000001",
    "1e400",
    "4.9e-324",
    "1e-400",
    "0.10000000000000000001",
    "-9007199254740993",
  ])
    expect([text, read(`{"a":[${text}]}`)]).toEqual([text, undefined]);
});

test("an odd spelling is no integer, and no object either", () => {
  const { value, exact } = parseWritten('{"a":3.0,"b":3,"n":"__proto__"}');
  const { a, b } = value as { a: unknown; b: unknown };
  expect(exact).toBe(false);
  expect([typeof a, b]).toEqual(["object", 3]);
});

test("digits inside strings are no numbers, and own __proto__ members survive", () => {
  expect(parseWritten('{"a":"1.0 \\" 2.0","__proto__":1}').exact).toBe(true);
  const settled = read('{"__proto__":{"x":1.0}}') as object;
  expect(Object.keys(settled)).toEqual(["__proto__"]);
});

test("long runs of zeros are read in linear time: quadratic would not end", () => {
  const zeros = "0".repeat(500_000);
  expect(read(`[1${zeros}1]`)).toBeUndefined();
  expect(read(`[0.${zeros}1]`)).toBeUndefined();
});
