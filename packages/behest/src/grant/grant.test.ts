import {
  type AatTools,
  type Constraint,
  type ConstraintMap,
  type Json,
  compareGrants,
} from "@behest/delegation";
import { canonical } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ToolGrant, parseTool, parseTools } from "./parse.ts";
import { printRule, printTool } from "./print.ts";
import { parseRule } from "./rule.ts";

const rule = (text: string): Constraint => parseRule(text);

test("each rule means one constraint", () => {
  expect(rule("*")).toEqual({ constraint_type: "wildcard" });
  expect(rule("50")).toEqual({ constraint_type: "exact", value: 50 });
  expect(rule("-0.5")).toEqual({ constraint_type: "exact", value: -0.5 });
  expect(rule("true")).toEqual({ constraint_type: "exact", value: true });
  expect(rule("null")).toEqual({ constraint_type: "exact", value: null });
  expect(rule("EUR")).toEqual({ constraint_type: "exact", value: "EUR" });
  expect(rule('"true"')).toEqual({ constraint_type: "exact", value: "true" });
  expect(rule('"a, b) = \\"c\\""')).toEqual({ constraint_type: "exact", value: 'a, b) = "c"' });
  expect(rule("a|b|1")).toEqual({ constraint_type: "one_of", values: ["a", "b", 1] });
  expect(rule("!a|b")).toEqual({ constraint_type: "not_one_of", excluded: ["a", "b"] });
  expect(rule("..50")).toEqual({ constraint_type: "range", max: 50 });
  expect(rule("-1.5..50")).toEqual({ constraint_type: "range", min: -1.5, max: 50 });
  expect(rule("10..")).toEqual({ constraint_type: "range", min: 10 });
  expect(rule("@Example.com")).toEqual({ constraint_type: "email", domain: "example.com" });
  expect(rule("bob@example.com")).toEqual({ constraint_type: "email", address: "bob@example.com" });
  expect(rule("/docs/a/**")).toEqual({ constraint_type: "path", under: "/docs/a" });
  expect(rule("/**")).toEqual({ constraint_type: "path", under: "/" });
  expect(rule("https://host.example/a*")).toEqual({ constraint_type: "url", base: "https://host.example/a" });
  expect(rule("https://host.example/*")).toEqual({ constraint_type: "url", base: "https://host.example" });
  expect(rule("https://*.a.example/b*")).toEqual({ constraint_type: "url", base: "https://*.a.example/b" });
  expect(rule("decimal:0.01..99.50")).toEqual({ constraint_type: "decimal", min: "0.01", max: "99.50" });
  expect(rule("decimal:..-5")).toEqual({ constraint_type: "decimal", max: "-5" });
  expect(rule("decimal:..")).toEqual({ constraint_type: "decimal" });
  expect(rule("decimal:5")).toEqual({ constraint_type: "exact", value: "decimal:5" });
  expect(rule("abc*")).toEqual({ constraint_type: "prefix", prefix: "abc" });
  expect(rule('"a b/"*')).toEqual({ constraint_type: "prefix", prefix: "a b/" });
  expect(rule("[a|b]")).toEqual({ constraint_type: "subset", allowed: ["a", "b"] });
  expect(rule("[]")).toEqual({ constraint_type: "subset", allowed: [] });
  expect(rule('{"constraint_type":"contains","required":["a"]}')).toEqual({
    constraint_type: "contains",
    required: ["a"],
  });
  expect(rule("@a.example|@b.example|x")).toEqual({
    constraint_type: "any",
    constraints: [
      { constraint_type: "email", domain: "a.example" },
      { constraint_type: "email", domain: "b.example" },
      { constraint_type: "exact", value: "x" },
    ],
  });
});

test("arguments are named, optional, or any others", () => {
  expect(parseTool(" pay ( amount = ..50 , note? = * , * ) ")).toEqual({
    tool: "pay",
    arguments: {
      amount: { constraint_type: "range", max: 50 },
      note: { constraint_type: "wildcard", optional: true },
      "*": { constraint_type: "wildcard" },
    },
  });
  expect(parseTool("read(*)").arguments).toEqual({ "*": { constraint_type: "wildcard" } });
  expect(parseTool('"a tool"("an argument"=1)')).toEqual({
    tool: "a tool",
    arguments: { "an argument": { constraint_type: "exact", value: 1 } },
  });
});

test("names that JavaScript has a meaning for are ordinary names", () => {
  const tools = parseTools(["__proto__(constructor=1)", "toString(__proto__=2)"]);
  expect(Object.keys(tools)).toEqual(["__proto__", "toString"]);
  expect(Object.keys(tools["toString"]!)).toEqual(["__proto__"]);
});

test("a tool whose arguments are not said is refused, and both ways to say them are shown", () => {
  for (const text of ["send_mail", "send_mail()", "send_mail( )"])
    expect(() => parseTool(text)).toThrow(/name\(argument=rule, …\).*name\(\*\)/);
});

test.for([
  ["", 1],
  ["(", 1],
  ["x(", 3],
  ["x(a", 4],
  ["x(a=", 5],
  ["x(a=1", 6],
  ["x(a=1) y", 8],
  ["x(a=1,a=2)", 7],
  ["x(*, a=1)", 4],
  ['x("*"=1)', 3],
  ["x(a=b c)", 7],
  ["x(a=*|b)", 5],
  ["x(a=a|a)", 5],
  ["x(a=!@example.com)", 6],
  ["x(a=[*])", 6],
  // What looks like something else is not text.
  ["x(a=1.0)", 5],
  ["x(a=007)", 5],
  ["x(a=1e3)", 5],
  ["x(a=9007199254740993)", 5],
  ["x(a=2026-01-01)", 5],
  ["x(a=..)", 5],
  ["x(a=5..1)", 5],
  ["x(a=a..b)", 5],
  ["x(a=a*b)", 5],
  ["x(a=**)", 5],
  ["x(a=/docs/*)", 5],
  ["x(a=/docs/../**)", 5],
  ["x(a=https://host*)", 5],
  ["x(a=https://*.host/*)", 5],
  ["x(a=https://a.*.host.example/*)", 5],
  ["x(a=decimal:1e3..)", 5],
  ["x(a=decimal:1..2..3)", 5],
  ["x(a=decimal:2..1)", 5],
  ["x(a=!decimal:1..)", 6],
  ["x(a=https://user@host/*)", 5],
  ["x(a=b@)", 5],
  ["x(a=bob@exam*)", 5],
  ['x(a="b)', 5],
  ['x(a="\\ud800")', 5],
  ['x(a={"constraint_type":"exact"})', 5],
  ['x(a={"constraint_type":"nobody_knows"})', 5],
  ['x(a={"constraint_type":"exact","value":1,"value":2})', 5],
  ['x(a?={"constraint_type":"wildcard","optional":false})', 6],
  ["x(a=1)\u001b[2J", 7],
] as const)("%s is refused with its column", ([text, column]) => {
  expect(() => parseTool(text)).toThrow(expect.objectContaining({ code: "malformed_tool" }) as Error);
  expect(() => parseTool(text)).toThrow(new RegExp(`^column ${column}: `));
});

test("an error names the option and its column, never what was written", () => {
  expect(() => parseTools(["ok(*)", "pay(iban=secret-iban@@)"])).toThrow(
    /^--tool 2, column 10: (?!.*secret)/,
  );
  expect(() => parseTools(["a(*)", "a(b=1)"])).toThrow(/named twice/);
});

test("what can hide text or drive a terminal is printed as an escape, and reads back", () => {
  const text = printRule({ constraint_type: "exact", value: "a\u001b[2J\u202eb\u{e0001}" });
  expect(text).toBe('"a\\u001b[2J\\u202eb\\udb40\\udc01"');
  expect(rule(text)).toEqual({ constraint_type: "exact", value: "a\u001b[2J\u202eb\u{e0001}" });
});

const scalar = fc
  .oneof(
    fc.string(),
    fc.constantFrom(
      "true",
      "1",
      "a b",
      "a*",
      "x@y.z",
      "/a/**",
      "..",
      "1..2",
      "-",
      "http://h.x/*",
      "{",
      "\u001b",
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  )
  .filter((value) => typeof value !== "string" || value.isWellFormed());
const scalars = fc.array(scalar, { minLength: 1, maxLength: 4 });
const simple = fc.oneof(
  fc.constant({ constraint_type: "wildcard" }),
  scalar.map((value) => ({ constraint_type: "exact", value })),
  scalars.map((values) => ({ constraint_type: "one_of", values })),
  scalars.map((excluded) => ({ constraint_type: "not_one_of", excluded })),
  scalars.map((allowed) => ({ constraint_type: "subset", allowed })),
  scalars.map((required) => ({ constraint_type: "contains", required })),
  fc.record({ min: fc.integer(), max: fc.integer() }).map(({ min, max }) => ({
    constraint_type: "range",
    min: Math.min(min, max),
    max: Math.max(min, max),
  })),
  fc
    .record({ max: fc.integer() })
    .map(({ max }) => ({ constraint_type: "range", max, max_inclusive: false })),
  fc
    .string({ minLength: 1 })
    .filter((text) => text.isWellFormed())
    .map((prefix) => ({ constraint_type: "prefix", prefix })),
  fc.constantFrom("example.com", "a-b.example").map((domain) => ({ constraint_type: "email", domain })),
  fc
    .constantFrom<{ min?: string; max?: string }>(
      {},
      { min: "0.10" },
      { max: "-3" },
      { min: "-1", max: "1.00" },
    )
    .map((bounds): Constraint => ({
      constraint_type: "decimal",
      ...bounds,
    })),
  fc
    .constantFrom("a.b+c@example.com", "a=b@example.com")
    .map((address) => ({ constraint_type: "email", address })),
  fc.constantFrom("/", "/a b/c", "docs", "/a(b)").map((under) => ({ constraint_type: "path", under })),
  fc
    .constantFrom(
      "https://h.example",
      "https://*.h.example",
      "http://*.a.h.example:81/x",
      "http://h.example:8080/a/b",
      "https://h.example/a,(b)",
    )
    .map((base) => ({
      constraint_type: "url",
      base,
    })),
);
const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  { weight: 3, arbitrary: simple },
  fc
    .array(simple, { minLength: 1, maxLength: 3 })
    .map((constraints) => ({ constraint_type: "any", constraints: constraints as Json[] })),
  fc
    .array(simple, { minLength: 1, maxLength: 3 })
    .map((constraints) => ({ constraint_type: "all", constraints: constraints as Json[] })),
);
const name = fc
  .oneof(fc.constantFrom("to", "a-b", "a.b", "__proto__", "", "a b"), fc.string())
  .filter((text) => text !== "*" && text !== "" && text.isWellFormed());
const map: fc.Arbitrary<ConstraintMap> = fc
  .tuple(
    fc.uniqueArray(fc.tuple(name, constraint, fc.constantFrom(undefined, true, false)), {
      selector: ([n]) => n,
      maxLength: 4,
    }),
    fc.boolean(),
  )
  .map(([named, open]) => {
    const entries = named.map(([n, c, optional]): [string, Constraint] => [
      n,
      optional === undefined ? c : { ...c, optional },
    ]);
    const rest: [string, Constraint][] =
      open || named.length === 0 ? [["*", { constraint_type: "wildcard" }]] : [];
    return Object.fromEntries([...entries, ...rest]);
  });

test("what is granted is printed so that it reads back as exactly the same grant", () => {
  fc.assert(
    fc.property(name, map, (tool, args) => {
      compareGrants({}, { [tool]: args } satisfies AatTools);
      const text = printTool(tool, args);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
      const read = parseTool(text);
      expect(read.tool).toBe(tool);
      expect(canonical(read.arguments)).toBe(canonical(args));
      expect(printTool(read.tool, read.arguments)).toBe(text);
    }),
    { numRuns: 2000 },
  );
});

/** Undefined when refused; any other error than a refusal fails the test. */
function parsedOrRefused(text: string): ToolGrant | undefined {
  try {
    return parseTool(text);
  } catch (error) {
    if ((error as { code?: string }).code === "malformed_tool") return undefined;
    throw error;
  }
}

test("any text is refused, or printed as what reads the same", () => {
  const piece = fc.constantFrom(
    ...'(){}[]=?|!,.*@/:-"\\ ab1'.split(""),
    "..",
    "/**",
    "true",
    "decimal:",
    "http://h.x/",
    '{"constraint_type":"wildcard"}',
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => `t(a=${pieces.join("")})`);
  let read = 0;
  fc.assert(
    fc.property(text, (given) => {
      const parsed = parsedOrRefused(given);
      if (!parsed) return true;
      read++;
      return canonical(parseTool(printTool(parsed.tool, parsed.arguments))) === canonical(parsed);
    }),
    { numRuns: 5000 },
  );
  expect(read).toBeGreaterThan(100);
});
