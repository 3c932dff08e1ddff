import { posix, win32 } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "./check.ts";
import { isFolder } from "./path.ts";

const pathWithin = (under: string, value: string): boolean =>
  check({ constraint_type: "path", under }, value);

test.each([
  ["/data", "/data"],
  ["/data", "/data/"],
  ["/data", "/data/a.txt"],
  ["/data", "/data/Bücher/日本/.hidden/a..b"],
  ["/data", "/data/with space"],
  ["/data", "/data/./a//b/../c/."],
  ["/data", "/data/a/b/../.."],
  ["/data", "/tmp/../data/a"],
  ["/data", "/data/a%20b"],
  ["/data", "/data/a/%2e%2e/b"],
  ["/data", "/data/a%252fb"],
  ["/data", "/data/100%"],
  ["/data", "/data/100% sure?"],
  ["/data", "/data/a\\b\\..\\c"],
  ["/data", "/data/Preis ¥100.txt"],
  ["/", "/etc"],
  ["/", "/"],
  ["/data", "/data/col·lecció/a;b"],
  ["/data", "/data/console/nulls/com10.txt/auxiliary.c/co"],
  ["docs", "docs/a"],
  ["docs", "./docs/a"],
  ["docs", "a/../docs"],
  ["C:/a", "C:/a/b"],
  ["~", "~/a"],
] as const)("%s admits %s", (folder, value) => {
  expect(pathWithin(folder, value)).toBe(true);
});

test.each([
  ["/data", "/database"],
  ["/data", "/dat"],
  ["/data", "data/a"],
  ["/data", "/DATA/a"],
  ["docs", "/docs/a"],
  ["docs", "documents/a"],
  ["docs", "."],
  ["/data", ""],
  ["/", ""],
  ["/", "a"],
  ["/data/a", "/data/a."],
  ["/data", "%2fdata/a"],
  ["/data", "\\data\\a"],
  ["/data", "/data%5ca"],
  ["/data", "/data%2fa"],
])("%s does not admit %s", (folder, value) => {
  expect(pathWithin(folder, value)).toBe(false);
});

test.each<readonly [string, string]>([
  ["parent segment", "/data/../etc/passwd"],
  ["parent segment at the end", "/data/.."],
  ["above the root and back", "/../data/a"],
  ["backslash", "/data/..\\..\\etc"],
  ["mixed separators", "/data/a\\../../../etc"],
  ["encoded dots", "/data/%2e%2e/etc"],
  ["half encoded dots", "/data/.%2E/etc"],
  ["encoded slash", "/data/..%2fetc"],
  ["encoded backslash", "/data/..%5cetc"],
  ["encoded twice", "/data/%252e%252e/etc"],
  ["digits encoded apart", "/data/%%32%65%%32%65/etc"],
  ["encoded four times", "/data/%2525252e%2525252e/etc"],
  ["encoded too often to follow", "/data/%2525252525252e"],
  ["a decoder that drops stray percent signs", "/data/.%./etc"],
  ["a decoder that reads plus as a space", "/data/..+/etc"],
  ["%u encoding", "/data/%u002e%u002e/etc"],
  ["overlong UTF-8", "/data/%c0%ae%c0%ae/etc"],
  ["a lone byte", "/data/%e9"],
  ["an encoded surrogate", "/data/%ed%a0%80"],
  // Resolved before decoding: /data/../etc; decoded before resolving: /data/p/etc.
  ["resolve, then decode", "/data/p%2fq%2fr/../%2e%2e%2fetc"],
  ["resolve, then split at backslashes", "/data/p\\q\\r/../..\\etc"],
  ["NUL", "/data/a\u0000.txt"],
  ["encoded NUL", "/data/a%00.txt"],
  ["newline", "/data/a\n/../b"],
  ["encoded newline", "/data/a%0a"],
  ["line separator", "/data/a\u2028b"],
  ["dots and spaces that Windows drops", "/data/.. /etc"],
  ["the same, encoded", "/data/..%20/etc"],
  ["three dots", "/data/.../etc"],
  ["a blank segment", "/data/ /etc"],
  ["two slashes at the start", "//data/a"],
  ["two slashes at the start, once resolved", "/.//data/a"],
  ["UNC", "\\\\data\\a"],
  ["full-width dots", "/data/．．/etc"],
  ["full-width slash", "/data/..／etc"],
  ["encoded full-width dots", "/data/%ef%bc%8e%ef%bc%8e/etc"],
  ["one-dot leader", "/data/\u2024\u2024/etc"],
  ["two-dot leader", "/data/\u2025/etc"],
  ["yen for a backslash", "/data/..¥..¥etc"],
  ["won for a backslash", "/data/..₩etc"],
  ["fraction slash", "/data/..\u2044etc"],
  ["division slash, encoded", "/data/..%e2%88%95etc"],
  ["right-to-left override", "/data/\u202etxt.exe"],
  ["zero width joiner between dots", "/data/.\u200d./etc"],
  ["lone surrogate", "/data/\ud800"],
  ["private use", "/data/\ue000"],
  ...Array.from(
    "\u00f7\u2571\u27cb\u29f8\u2572\u27cd\u29f5\u29f9",
    (sign) => [`looks like a separator: ${sign}`, `/data/..${sign}..${sign}etc`] as const,
  ),
  ["the same, taken back first", "/data/p\u2571q\u2571r/../..\u2571..\u2571etc"],
  ["middle dots", "/data/\u00b7\u00b7/etc"],
  ["a middle dot and a dot", "/data/.%c2%b7/etc"],
  ["dots and a parameter", "/data/..;/etc"],
  ["dots and a named parameter", "/data/..;a=b/..;/etc"],
  ["dots and an encoded parameter", "/data/..%3b/etc"],
  ["a parameter alone, taken back", "/data/a/;/../../etc"],
  ...[
    "CON",
    "nul",
    "Aux.txt",
    "prn .x",
    "COM1",
    "lpt9.log",
    "com0",
    "con:",
    "NUL;a",
    "ConIn$",
    "conout$.a",
  ].map((device) => [`a Windows device: ${device}`, `/data/${device}`] as const),
  ["a device as a folder", "/data/con/a"],
  ["a device, encoded", "/data/%6eul"],
  ["a device and a middle dot", "/data/nul\u00b7txt"],
  ["a device behind a backslash", "/data/a\\nul"],
  ["a folded drive first", "C\u2236/../data/a"],
  ["another folded drive first", "C\u02d0/../data/a"],
  ["a folded home first", "\u223c/../data/a"],
  ["a drive first", "C:/../data/a"],
  ["a home first", "~/../data/a"],
  ["4098 characters", `/data/${"a".repeat(4092)}`],
])("never within the folder: %s", (_, path) => {
  expect(pathWithin("/data", path)).toBe(false);
  expect(pathWithin("data", path.replace("/data", "data"))).toBe(false);
});

test("a drive or a home at the start is the folder's own or refused", () => {
  for (const value of ["C:/x", "/C:/x", "/./c:/x", "/~root", "~", "c:x"])
    expect([value, pathWithin("/", value)]).toEqual([value, false]);
  expect(pathWithin("docs", "~/../docs/a")).toBe(false);
  expect(pathWithin("C:/a", "D:/../C:/a")).toBe(false);
});

test("a folder has one spelling", () => {
  for (const good of ["/", "/a", "a", "/a b/c.d", "C:/a", "/日本", "/a/.b"])
    expect([good, isFolder(good)]).toEqual([good, true]);
  for (const bad of [
    "",
    ".",
    "..",
    "/a/",
    "a/",
    "//",
    "//a",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "./a",
    "/a%20b",
    "/100%",
    "\\a",
    "/a\\b",
    "/¥",
    "/a\u0000",
    "/...",
    "/·",
    "/a÷b",
    "/..;",
    "/;a",
    "/a/nul",
    "/COM1.d",
    "/．",
    `/${"a".repeat(4096)}`,
  ])
    expect([bad, isFolder(bad)]).toEqual([bad, false]);
});

const PIECES =
  ".. . / / \\ data data a % %2e %2f %5c %25 2e 2f 5c 25 + : C: ~ ¥ ÷ · ; %3b ..; %2e%2e%2f p%2fq%2fr /../ u002e";
const pieces = fc.constantFrom(" ", ...PIECES.split(" "));
const values = fc
  .tuple(
    fc.constantFrom("/data/", "/data", "data/", "", "/"),
    fc.constantFrom("", "a/b/", "a%2fb/../", "a\\b/../"),
    fc.array(pieces, { maxLength: 12 }),
  )
  .map(([start, middle, rest]) => start + middle + rest.join(""));

/** What libraries, servers and systems do to a path before it is opened, in any order. */
const STEPS: readonly ((path: string) => string)[] = [
  (path) => path.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  (path) => path.replaceAll(/%(?![0-9a-f]{2})/gi, ""),
  (path) => path.replaceAll(/%u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
  (path) => path.replaceAll("+", " "),
  (path) => path.replaceAll("¥", "\\"),
  (path) => path.replaceAll("÷", "/"),
  (path) => path.replaceAll("·", "."),
  (path) => path.replaceAll(/;[^/]*/g, ""),
  (path) => path.replaceAll("\\", "/"),
  (path) => path.replaceAll(/[. ]+(?=\/|$)/g, (end) => (/^\.\.?$/.test(end) ? end : "")),
  (path) => posix.normalize(path),
  (path) => win32.normalize(path),
];
const handling = fc.array(fc.constantFrom(...STEPS), { maxLength: 7 });

test("whatever decodes, splits and resolves an admitted path, in any order, stays below the folder", () => {
  let admitted = 0;
  fc.assert(
    fc.property(fc.constantFrom("/data", "data", "/data/a"), values, handling, (folder, value, steps) => {
      if (!pathWithin(folder, value)) return;
      admitted++;
      const handled = steps.reduce((path, step) => step(path), value);
      const opened = posix.normalize(handled.replaceAll("\\", "/"));
      expect(`${opened}/`.startsWith(`${folder}/`)).toBe(true);
    }),
    { numRuns: 30_000 },
  );
  expect(admitted).toBeGreaterThan(1000);
});

test("a folder within a folder admits nothing more", () => {
  const folders = ["/", "/data", "/data/a", "/C:", "data", "data/a", "C:", "~"];
  fc.assert(
    fc.property(fc.constantFrom(...folders), fc.constantFrom(...folders), values, (outer, inner, value) => {
      fc.pre(pathWithin(outer, inner));
      return !pathWithin(inner, value) || pathWithin(outer, value);
    }),
    { numRuns: 5000 },
  );
});
