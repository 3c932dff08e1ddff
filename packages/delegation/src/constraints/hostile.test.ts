import { expect, test } from "vitest";
import { readArguments } from "./arguments.ts";
import { widenings } from "./compare.ts";
import type { AatTools, Known } from "./constraint.ts";
import { newEffort } from "./effort.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { explainTools, meetTools } from "./meet-tools.ts";
import { rewrapTools } from "./narrow.ts";
import { isFolder, pathWithin } from "./path.ts";
import { subsumes } from "./subsume.ts";
import { readTools } from "./tools.ts";
import { urlWithin } from "./url.ts";

/*
 * What someone who may sign or ask can send to keep a verifier busy. Bounds of time are far above what is measured
 * and far below what the attack took before it was stopped (seconds); where work is counted, the count is checked.
 */
const SLOW_MS = 500;

function took(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

const repeat = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i));
const composite = (type: "all" | "any", constraints: readonly Known[]): Known => ({
  constraint_type: type,
  constraints,
});
const grant = (constraint: Known): AatTools => ({ t: { p: constraint } }) as unknown as AatTools;
const listOf = (values: readonly string[]): Known => ({ constraint_type: "one_of", values });

// Each fits into a token.
const odd = listOf(repeat(6000, (i) => `/d/ ${i}`));
const folders = repeat(255, (i): Known => ({ constraint_type: "path", under: i % 2 ? "/d" : "/" }));
const bases = repeat(255, (i): Known => ({ constraint_type: "url", base: `https://*.h${i}.test/a` }));
const others = repeat(255, (i): Known => ({ constraint_type: "url", base: `https://*.h${i}.test/b` }));
const amounts = (offset: number): Known[] =>
  repeat(255, (i) => ({ constraint_type: "decimal", min: `${i}.${offset}`, max: `${i}.9` }));
const PAIRS: readonly (readonly [string, Known, Known])[] = [
  ["a list of paths under many folders at once", composite("all", folders), odd],
  ["a list of paths under one of many folders", composite("any", folders), odd],
  ["many hosts under many hosts", composite("any", bases), composite("any", others)],
  ["many amounts under many amounts", composite("all", amounts(5)), composite("any", amounts(1))],
  [
    "a list of lists under many lists",
    composite(
      "all",
      repeat(255, () => listOf(repeat(20, String))),
    ),
    listOf(repeat(9000, (i) => String(i % 20))),
  ],
];

test.each(PAIRS)("comparing %s ends", (_, parent, child) => {
  const effort = newEffort();
  expect(subsumes(parent, composite("all", [child]), effort)).toBe(false);
  const [held, asked] = [grant(parent), grant(child)];
  for (const run of [widenings, rewrapTools, meetTools, explainTools])
    expect(took(() => run(held, asked))).toBeLessThan(SLOW_MS);
  expect(widenings(held, rewrapTools(held, meetTools(held, asked)))).toEqual([]);
});

test("what is left undone for want of effort is refused", () => {
  const clause: Known = { constraint_type: "prefix", prefix: "a" };
  expect(subsumes(clause, clause)).toBe(true);
  expect(subsumes(clause, clause, newEffort(0))).toBe(false);
  expect(subsumes(composite("all", folders), composite("all", [odd]))).toBe(false);
  // Refused only because there are so many of them.
  expect(subsumes(composite("all", folders.slice(0, 1)), composite("all", [odd]))).toBe(true);
});

test("lists as long as a token can hold are still compared", () => {
  const paths = listOf(repeat(5000, (i) => `/d/${i}`));
  expect(subsumes({ constraint_type: "path", under: "/d" }, paths)).toBe(true);
  expect(subsumes(paths, paths)).toBe(true);
  const hosts = listOf(repeat(2000, (i) => `https://a.h.test/${i}`));
  expect(subsumes({ constraint_type: "url", base: "https://*.h.test" }, hosts)).toBe(true);
});

test("whatever is well-formed may be handed on as it is", () => {
  const short = listOf(repeat(12_000, () => "a"));
  const clauses = [bases, folders, amounts(1)].flatMap((each) => [
    composite("all", each),
    composite("any", each),
  ]);
  for (const constraint of [short, odd, ...clauses])
    expect(widenings(grant(constraint), grant(constraint))).toEqual([]);
  // In order, with some left out.
  const some = bases.filter((_, i) => i % 3 > 0);
  expect(subsumes(composite("any", bases), composite("any", some))).toBe(true);
  expect(subsumes(composite("all", some), composite("all", bases))).toBe(true);
});

test("grants nested or crowded beyond the limits are refused", () => {
  let deep: Known = { constraint_type: "wildcard" };
  for (let i = 0; i < 32; i++) deep = composite("all", [deep]);
  const crowded = composite(
    "any",
    repeat(5000, () => ({ constraint_type: "wildcard" })),
  );
  const many = Object.fromEntries(repeat(5000, (i) => [`t${i}`, {}]));
  for (const tools of [grant(deep), grant(crowded), many])
    expect(() => readTools(tools, DEFAULT_LIMITS)).toThrow(
      expect.objectContaining({ code: "malformed_grant" }) as Error,
    );
});

test("numbers without end are refused", () => {
  const digits = "9".repeat(60_000);
  for (const number of [
    digits,
    `0.${digits}`,
    `1e${digits}`,
    `${digits}e-${digits}`,
    `-${digits}.${digits}`,
    "1e400",
  ])
    expect(
      took(() =>
        expect(() => readArguments(`{"n":${number}}`)).toThrow(
          expect.objectContaining({ code: "malformed_arguments" }) as Error,
        ),
      ),
    ).toBeLessThan(SLOW_MS);
});

test.each([
  ["encoded again and again", `/d/%${"25".repeat(32_000)}2e`],
  ["up and down", `/d/${"a/../".repeat(13_000)}`],
  ["combining marks", `/d/${"\u0301\u0323".repeat(32_000)}`],
  ["a few combining marks", `/d/${"\u0301\u0323".repeat(2000)}`],
  ["marks, each encoded", `/d/${"%cc%81%cc%a3".repeat(330)}`],
  ["separators", "\\".repeat(65_000)],
  ["escapes apart", `/d/${"%41a".repeat(16_000)}`],
  ["letters that grow", "\ufdfa".repeat(65_000)],
])("a value of 64 KB is judged at once: %s", (_, value) => {
  const time = took(() => {
    expect(pathWithin("/d", value)).toBe(false);
    expect(urlWithin("https://h.test", `https://h.test${value}`)).toBe(false);
    expect(isFolder(value)).toBe(false);
  });
  expect(time).toBeLessThan(SLOW_MS / 10);
});
