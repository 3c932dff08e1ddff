import { type Json, canonical } from "@behest/jws";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Written } from "./written.ts";

const json = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

test("whatever was written before, the text is the list's own", () => {
  const item = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>;
  fc.assert(
    fc.property(fc.array(item), fc.array(item), fc.nat(), fc.array(item), (old, rest, at, now) => {
      const written = new Written();
      for (const list of [old, [...old, ...rest], [...old.slice(0, at), ...now], now])
        expect(written.text(list, json)).toBe(canonical(list));
    }),
  );
});

test("one change anywhere in a message is written", () => {
  const message = (): { [name: string]: Json } => ({ a: [1, { b: "x" }], c: null, d: { e: [] } });
  const changed: unknown[] = [
    { ...message(), a: [1, { b: "y" }] },
    { ...message(), a: [1, { b: "x" }, 2] },
    { ...message(), a: [1] },
    { ...message(), a: { 0: 1, 1: { b: "x" } } },
    { ...message(), a: [1, { b: "x", f: false }] },
    { ...message(), a: [1, {}] },
    { ...message(), c: false },
    { ...message(), c: {} },
    { ...message(), d: { e: {} } },
    { ...message(), d: { f: [] } },
    { a: message()["a"], c: null },
    { ...message(), g: "" },
    { ...message(), ["__proto__"]: 1 },
    JSON.parse('{"__proto__":{"a":1},"a":[1,{"b":"x"}],"c":null,"d":{"e":[]}}'),
  ];
  for (const one of changed) {
    const written = new Written();
    written.text([message()], json);
    expect(written.text([one], json)).toBe(canonical([one]));
    expect(written.text([message()], json)).toBe(canonical([message()]));
  }
});

test("a message that is changed in place is written anew, and so is the one after it", () => {
  const written = new Written();
  const parts: { text: string }[] = [{ text: "pay 5" }];
  const message = { role: "user", parts };
  expect(written.text([message], (item) => item as Json)).toBe(
    '[{"parts":[{"text":"pay 5"}],"role":"user"}]',
  );
  parts[0]!.text = "pay 500";
  expect(written.text([message], (item) => item as Json)).toBe(
    '[{"parts":[{"text":"pay 500"}],"role":"user"}]',
  );
  parts[0]!.text = "pay 5";
  expect(written.text([message], (item) => item as Json)).toBe(
    '[{"parts":[{"text":"pay 5"}],"role":"user"}]',
  );
});

test("what is only like JSON is converted each time", () => {
  const written = new Written();
  const text = (item: unknown): string => written.text([item], json);
  expect(text({ at: "1970-01-01T00:00:00.000Z" })).toBe('[{"at":"1970-01-01T00:00:00.000Z"}]');
  expect(text({ at: new Date(1) })).toBe('[{"at":"1970-01-01T00:00:00.001Z"}]');
  expect(text({})).toBe("[{}]");
  expect(text({ toJSON: () => 1 })).toBe("[1]");
  expect(text({})).toBe("[{}]");
  expect(text(new Map())).toBe("[{}]");
  expect(text({ a: 0 })).toBe('[{"a":0}]');
  expect(text({ a: -0, b: undefined })).toBe('[{"a":0}]');
});
