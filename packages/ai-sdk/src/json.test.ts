import { canonical } from "@behest/jws";
import fc from "fast-check";
import { expect, test } from "vitest";
import { toJson } from "./json.ts";

test("JSON stays what it is, and comes out as a copy", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const given = JSON.parse(JSON.stringify(value)) as unknown;
      expect(canonical(toJson(given))).toBe(canonical(given));
    }),
  );
  const given = { a: [{}] };
  expect((toJson(given) as typeof given).a[0]).not.toBe(given.a[0]);
});

test("whatever it is given, what comes out is JSON", () => {
  fc.assert(
    fc.property(fc.anything({ withDate: true, withTypedArray: true, withBigInt: true }), (value) => {
      canonical(toJson(value));
    }),
  );
});

test("what JSON does not know is left out or spelt", () => {
  const value = {
    none: undefined,
    call: () => 1,
    at: new Date(0),
    url: new URL("https://x.test/a"),
    bytes: new Uint8Array([1, 2, 3]).subarray(1),
    torn: "\ud800",
    ["\udc00"]: 1,
    big: 10n,
    nan: Number.NaN,
    list: [undefined, Symbol("s")],
    ["__proto__"]: { own: true },
  };
  expect(toJson(value)).toEqual({
    at: "1970-01-01T00:00:00.000Z",
    url: "https://x.test/a",
    bytes: "AgM=",
    torn: "\ufffd",
    ["\ufffd"]: 1,
    big: "10",
    nan: null,
    list: [null, null],
    ["__proto__"]: { own: true },
  });
});
