import canonicalize from "canonicalize";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FormatError } from "./error.ts";
import { MAX_DEPTH, canonical, canonicalPresent, parseJson } from "./json.ts";

const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (error) {
    return (error as FormatError).code;
  }
  return "accepted";
};

test("canonical JSON agrees with another implementation of RFC 8785", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonical(value);
      expect(text).toBe(canonicalize(value));
      expect(canonical(parseJson(text))).toBe(text);
    }),
  );
});

test("what is not plain JSON has no canonical form", () => {
  class Money {}
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const values = [
    undefined,
    () => 1,
    1n,
    Symbol("s"),
    Number.NaN,
    Infinity,
    "\ud800",
    new Date(0),
    new Money(),
    new Map(),
    { a: undefined },
    Object.assign([], { 1: 0 }),
    { [Symbol("s")]: 1 },
  ];
  for (const value of values) expect(code(() => canonical(value))).toBe("not_json");
  expect(code(() => canonical({ "\udfff": 1 }))).toBe("not_json");
  expect(code(() => canonical(cycle))).toBe("too_deep");
});

test("a toJSON method does not speak for its object", () => {
  expect(code(() => canonical({ toJSON: () => 1 }))).toBe("not_json");
});

test("repeated names are refused however they are written and wherever they stand", () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"x":{"b":1,"b":1}}]',
    '{"__proto__":1,"__proto__":2}',
  ])
    expect(code(() => parseJson(text))).toBe("duplicate_member");
  expect(parseJson('{"a":":","b":"\\":\\"","c":{"a":1}}')).toEqual({ a: ":", b: '":"', c: { a: 1 } });
});

test("__proto__ is an ordinary name", () => {
  const value = parseJson('{"__proto__":{"x":1}}') as object;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(canonical(value)).toBe('{"__proto__":{"x":1}}');
});

test("lone surrogates and bottomless nesting are refused", () => {
  expect(code(() => parseJson('"\\ud800"'))).toBe("malformed_json");
  expect(code(() => parseJson('{"\\udc00":1}'))).toBe("malformed_json");
  const deep = (n: number): string => "[".repeat(n) + "]".repeat(n);
  expect(code(() => parseJson(deep(MAX_DEPTH)))).toBe("accepted");
  expect(code(() => parseJson(deep(MAX_DEPTH + 1)))).toBe("too_deep");
});

test("an error never repeats the text it is about", () => {
  try {
    parseJson('{"password":"hunter2",}');
    expect.unreachable();
  } catch (error) {
    expect(String(error) + String((error as Error).cause)).not.toContain("hunter2");
  }
});

test("more names than are sorted by hand come out in order", () => {
  const names = Array.from({ length: 60 }, (_, i) => `n${(i * 37) % 60}`);
  for (const count of [2, 31, 32, 33, 60]) {
    const value = Object.fromEntries(names.slice(0, count).map((name) => [name, name]));
    expect(canonical(value)).toBe(canonicalize(value));
  }
});

test("members that are undefined are absent where that is asked for, and nothing else is forgiven", () => {
  expect(canonicalPresent({ b: [{ c: undefined }], a: undefined, d: null })).toBe('{"b":[{}],"d":null}');
  for (const value of [undefined, [undefined], { a: () => 1 }, { a: Number.NaN }, { a: new Date(0) }])
    expect(code(() => canonicalPresent(value))).toBe("not_json");
  fc.assert(fc.property(fc.jsonValue(), (value) => canonicalPresent(value) === canonical(value)));
});
