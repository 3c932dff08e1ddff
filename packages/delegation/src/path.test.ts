import { expect, test } from "vitest";
import { isPath, pathWithin } from "./path.ts";

test("a folder admits itself and what lies below it", () => {
  for (const [folder, path] of [
    ["/data", "/data"],
    ["/data", "/data/a.txt"],
    ["/data", "/data/Bücher/日本/.hidden/a..b"],
    ["/", "/etc"],
    ["docs", "docs/a"],
    ["/data", "/data/with space"],
  ] as const)
    expect([path, pathWithin(folder, path)]).toEqual([path, true]);
  for (const [folder, path] of [
    ["/data", "/database"],
    ["/data", "/dat"],
    ["/data", "data/a"],
    ["/data", "/DATA/a"],
    ["docs", "/docs/a"],
    ["docs", "documents/a"],
    ["/data", ""],
  ] as const)
    expect([path, pathWithin(folder, path)]).toEqual([path, false]);
});

test.each([
  ["parent segment", "/data/../etc/passwd"],
  ["parent segment at the end", "/data/.."],
  ["current segment", "/data/./a"],
  ["empty segment", "/data//a"],
  ["trailing slash", "/data/"],
  ["backslash", "/data/..\\..\\etc"],
  ["encoded dots", "/data/%2e%2e/etc"],
  ["encoded slash", "/data/..%2fetc"],
  ["encoded twice", "/data/%252e%252e/etc"],
  ["overlong or odd encoding", "/data/%u002e%u002e/etc"],
  ["NUL", "/data/a\u0000.txt"],
  ["newline", "/data/a\n/../b"],
  ["dots and spaces that Windows drops", "/data/.. /etc"],
  ["three dots", "/data/.../etc"],
  ["full-width dots", "/data/．．/etc"],
  ["full-width slash", "/data/..／etc"],
  ["one-dot leader", "/data/\u2024\u2024/etc"],
  ["two-dot leader", "/data/\u2025/etc"],
  ["right-to-left override", "/data/\u202etxt.exe"],
  ["zero width joiner between dots", "/data/.\u200d./etc"],
  ["lone surrogate", "/data/\ud800"],
])("never within the folder: %s", (_, path) => {
  expect(pathWithin("/data", path)).toBe(false);
  expect(isPath(path)).toBe(false);
});
