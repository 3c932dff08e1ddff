import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTemplate } from "./template.ts";

const read = (template: string, args: unknown): string => parseTemplate(template)!(args as never);

test.for([
  ["iban:{iban}", { iban: "DE1" }, "iban:DE1"],
  ["acme/{team}/{year}", { team: "finance", year: 2026, other: 1 }, "acme/finance/2026"],
  ["{amount}", { amount: 12.5 }, "12.5"],
  ["{on}", { on: false }, "false"],
  ["EUR", {}, "EUR"],
  ["{a b.c}", { "a b.c": "x" }, "x"],
  ["file:{input}", "notes.txt", "file:notes.txt"],
] as const)("%s of %j is %s", ([template, args, text]) => {
  expect(read(template, args)).toBe(text);
});

test.for(["", "{", "}", "a{", "{}", "{a}{b}", "{{a}}", "a}b", "{a{b}}", "{a}x{b}{c}"])(
  "%j is no template",
  (text) => {
    expect(parseTemplate(text)).toBeUndefined();
  },
);

test.for([
  ["absent", {}],
  ["null", { a: null }],
  ["empty", { a: "" }],
  ["an object", { a: { b: "c" } }],
  ["a list", { a: ["c"] }],
  ["only inherited", Object.create({ a: "c" })],
  ["a list of arguments", ["c"]],
] as const)("an argument that is %s answers nothing", ([, args]) => {
  expect(() => read("x:{a}", args)).toThrow(TypeError);
});

test("no argument can take the place of another", () => {
  expect(() => read("repo:{owner}/{name}", { owner: "acme/secret", name: "x" })).toThrow(TypeError);
  expect(() => read("{a}aa{b}", { a: "xa", b: "y" })).toThrow(TypeError);
  const text = fc.stringMatching(/^[a/]{0,4}$/);
  const literal = fc.stringMatching(/^[a/]{1,3}$/);
  const given = fc.record({ a: text, b: text });
  fc.assert(
    fc.property(literal, given, given, (between, one, other) => {
      const parsed = parseTemplate(`{a}${between}{b}`)!;
      const said = (args: object): string | undefined => {
        try {
          return parsed(args as never);
        } catch {
          return undefined;
        }
      };
      if (said(one) !== undefined && said(one) === said(other)) expect(one).toEqual(other);
    }),
    { numRuns: 2000 },
  );
});
