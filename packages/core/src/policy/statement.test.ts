import * as fc from "fast-check";
import { expect, test } from "vitest";
import { indexOf, lineAndColumn, statements } from "./statement.ts";

const texts = (source: string): string[] => statements("a.cedar", source).map(({ text }) => text);

test("a policy ends at a semicolon outside of strings and comments", () => {
  expect(texts('a ";" b; // c; "\nd "\\";\\\\";\n\n')).toEqual(['a ";" b;', 'd "\\";\\\\";']);
  expect(texts("// a;\n  ")).toEqual([]);
  expect(texts("a; b")).toEqual(["a;", "b"]);
  expect(texts('a "; b;')).toEqual(['a "; b;']);
});

test("the two strings of an @ask become one of the same length", () => {
  const [one] = texts('@ask ("group:a" ,\n "2" ) x;');
  expect(one).toBe('@ask ("group:a  ,\n  2" ) x;');
});

test("only an annotation is rewritten", () => {
  for (const source of [
    '["@ask(", ", ", ")"];',
    '"@ask(\\"group:a\\", \\"2\\")";',
    '@reason("@ask(") "x" , "y");',
    '@ask("a", "b", "c");',
    '@ask("a\\"", "b");',
    '@asks("a", "b");',
  ])
    expect(texts(source)).toEqual([source]);
});

test("statements lie in the file where they say, whatever is in it", () => {
  const pieces = fc.array(
    fc.constantFrom(
      '"',
      "\\",
      ";",
      "//",
      "\n",
      " ",
      "@ask(",
      '"a"',
      ",",
      ")",
      "é",
      "permit(x)",
      '@ask("a", "b")',
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(pieces, (parts) => {
      const source = parts.join("");
      let end = 0;
      for (const { text, from } of statements("a.cedar", source)) {
        expect(from).toBeGreaterThanOrEqual(end);
        end = from + text.length;
        const blank = (written: string): string => written.replaceAll(/["\s]/g, " ");
        expect(blank(source.slice(from, end))).toBe(blank(text));
      }
      expect(end).toBeLessThanOrEqual(source.length);
    }),
  );
});

test("places count lines and columns from 1, in characters and not in bytes", () => {
  expect(indexOf("é💶x", 2)).toBe(1);
  expect(indexOf("é💶x", 6)).toBe(3);
  expect(lineAndColumn("ab\ncd", 0)).toEqual({ line: 1, column: 1 });
  expect(lineAndColumn("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
});
