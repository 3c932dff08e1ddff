import type { Json } from "@behest/jws";
import { expect, test, vi } from "vitest";
import { checkArguments, readArguments } from "./arguments.ts";
import { check } from "./check.ts";
import { isClear } from "./clear.ts";
import { widenings } from "./compare.ts";
import type { AatTools, Known } from "./constraint.ts";
import { newEffort } from "./effort.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { explainTools, meetTools } from "./meet-tools.ts";
import { rewrapTools } from "./narrow.ts";
import { isFolder } from "./path.ts";
import { subsumes } from "./subsume.ts";
import { readTools } from "./tools.ts";
import { passing } from "./values.ts";

/*
 * What someone who may sign or ask can send to keep a verifier busy. Bounds of time are far above what is measured
 * and far below what the attack took before it was stopped (seconds); where work is counted, the count is checked.
 */
const SLOW_MS = 1000;

/**
 * ms of this thread's own time, where the platform tells, and the least of some runs where the first was slow: a busy
 * machine is not a slow comparison.
 */
function took(run: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let runs = 0; runs < 5 && least >= SLOW_MS; runs++) {
    const start = spentHere();
    run();
    least = Math.min(least, spentHere() - start);
  }
  return least;
}

function spentHere(): number {
  if (!("process" in globalThis) || !process.threadCpuUsage) return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
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
    expect(check({ constraint_type: "path", under: "/d" }, value)).toBe(false);
    expect(check({ constraint_type: "url", base: "https://h.test" }, `https://h.test${value}`)).toBe(false);
    expect(isFolder(value)).toBe(false);
  });
  expect(time).toBeLessThan(SLOW_MS);
});

test("an argument is decoded and normalised once, however many clauses look at it", () => {
  const normalize = vi.spyOn(String.prototype, "normalize");
  const clauses = {
    path: repeat(255, (): Known => ({ constraint_type: "path", under: "/d" })),
    url: repeat(255, (): Known => ({ constraint_type: "url", base: "https://h.test" })),
  };
  const value = "d/é%C3%A9%25C3%25A9".repeat(10);
  for (const [type, text] of [
    ["path", `/${value}`],
    ["url", "https://h.test/%C3%A9"],
  ] as const)
    for (const all of [
      composite("all", clauses[type]),
      composite("all", [composite("any", clauses[type])]),
    ]) {
      normalize.mockClear();
      expect(checkArguments(grant(all), "t", { p: text })).toBeUndefined();
      expect(normalize.mock.calls.length).toBeGreaterThan(0);
      expect(normalize.mock.calls.length).toBeLessThan(6);
    }
  normalize.mockRestore();
});

test("a list is gone through once, and an object written once, however many clauses look at it", () => {
  let reads = 0;
  const counted = <T extends object>(value: T): T =>
    new Proxy(value, {
      get: (target, name) => (reads++, Reflect.get(target, name) as unknown),
      ownKeys: (target) => (reads++, Reflect.ownKeys(target)),
    });
  const list = counted(repeat(1000, (i) => (i % 2 ? "a" : "b")));
  const object = counted({ a: 1, b: [2] });
  const each = (constraint: object): AatTools =>
    grant(
      composite(
        "all",
        repeat(255, () => constraint as Known),
      ),
    );
  const nine = repeat(9, (i) => String.fromCharCode(97 + i));
  for (const [constraint, value] of [
    [{ constraint_type: "subset", allowed: nine }, list],
    [{ constraint_type: "contains", required: ["b"] }, list],
    [{ constraint_type: "contains", required: ["b", "a"] }, list],
    [{ constraint_type: "not_one_of", excluded: [{}, { a: 1 }] }, object],
    [{ constraint_type: "one_of", values: [{}, { b: [2], a: 1 }] }, object],
  ] as const) {
    reads = 0;
    expect(checkArguments(each(constraint), "t", { p: value as Json })).toBeUndefined();
    expect(reads).toBeLessThan(value === list ? 5000 : 100);
  }
});

test("a value is read once in comparing two grants too", () => {
  const normalize = vi.spyOn(String.prototype, "normalize");
  const parent = composite(
    "any",
    repeat(30, (i) => ({ constraint_type: "path", under: `/d/${i}` })),
  );
  const values = repeat(8, (): Known => ({ constraint_type: "exact", value: "/d/29/é" }));
  expect(subsumes(parent, composite("any", values))).toBe(true);
  expect(normalize).toHaveBeenCalledTimes(1);
  normalize.mockRestore();
});

test("large members of a list have their price, also beside small values", () => {
  const big = repeat(7, (i) => ({ b: repeat(3000, () => 1), i }));
  const parent: Known = { constraint_type: "one_of", values: [...big, {}] };
  const effort = newEffort();
  const asked = repeat(4000, (i) => ({ i }));
  expect(passing(composite("any", [parent]), asked, effort)).toBeUndefined();
  expect(passing(composite("any", [parent]), asked.slice(0, 4), newEffort())).toEqual([]);
});

test("runs of marks are looked at once, and counted by characters", () => {
  for (const mark of ["\u0335", "\u{1d165}"]) {
    expect([mark, isClear(`a${mark.repeat(30)}`)]).toEqual([mark, true]);
    expect([mark, isClear(`a${mark.repeat(31)}`)]).toEqual([mark, false]);
  }
  const text = `a${"\u0335".repeat(30)}`.repeat(125);
  // Ten times as long when each mark is the start of another look.
  expect(took(() => repeat(1000, () => isClear(text)))).toBeLessThan(4 * SLOW_MS);
});
