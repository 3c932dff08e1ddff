import { type Rule, all, any, exact, notOneOf, oneOf, rule, wildcard } from "./rule.ts";
import { checks, forms, strings, subsumptions } from "./rules.ts";
import type { Vector } from "./vector.ts";

const prefix = (text: string): Rule => rule("prefix", { prefix: text });
const domain = (name: string): Rule => rule("email", { domain: name });
const address = (text: string): Rule => rule("email", { address: text });
const decimal = (min?: string, max?: string): Rule =>
  rule("decimal", { ...(min !== undefined && { min }), ...(max !== undefined && { max }) });

function prefixes(): readonly Vector[] {
  return [
    checks("400-prefix", "prefix: a text that begins so", [
      {
        rule: prefix("ab"),
        passes: strings("ab", "abc", "ab\u0000", "ab/../.."),
        fails: [...strings("a", "Ab", " ab", "xab", "", "\uff41b"), "1", "null", '["ab"]', '{"ab":1}'],
      },
      {
        rule: prefix("\u00e9"),
        passes: strings(["composed", "\u00e9t\u00e9"]),
        fails: strings(["decomposed", "e\u0301t\u00e9"]),
      },
    ]),
    forms(
      "401-prefix-form",
      "prefix: well-formed",
      [prefix("a"), prefix(" "), { ...prefix("a"), optional: true }],
      [
        prefix(""),
        rule("prefix"),
        rule("prefix", { prefix: 1 }),
        rule("prefix", { prefix: ["a"] }),
        { ...prefix("a"), value: "a" },
      ],
    ),
    subsumptions("402-prefix-narrower", "prefix: begins with it", [
      {
        parent: prefix("ab"),
        takes: [prefix("ab"), prefix("abc"), exact("ab"), exact("abc"), oneOf("ab", "abc")],
        not: [
          prefix("a"),
          prefix("Ab"),
          exact("a"),
          exact(1),
          oneOf("ab", "b"),
          oneOf("ab", 1),
          rule("path", { under: "ab" }),
          any(exact("ab")),
          wildcard,
        ],
      },
    ]),
  ];
}

function decimals(): readonly Vector[] {
  const most = "9".repeat(38);
  return [
    checks("420-decimal", "decimal: exact amounts, as text or as a number that prints as one", [
      {
        rule: decimal("-1.50", "12.5"),
        passes: [
          ...strings("12.50", "12.5", "12.500", "0", "0.0", "-1.5", "-0.01"),
          "12.5",
          "1e1",
          "0",
          "-0",
          "0.000001",
        ],
        fails: [
          ...strings(
            "12.51",
            "-1.51",
            "12.5000000000000000001",
            "01",
            "1.",
            ".5",
            "+1",
            "-0",
            "-0.00",
            "1e1",
            "1,5",
            " 1",
            "1\n",
            "",
            "-",
          ),
          ...strings(["Arabic digit", "\u0663"], ["full-width digit", "\uff11"], ["minus sign", "\u22121"]),
          "13",
          "1e-7",
          "true",
          "null",
          "[1]",
        ],
      },
      {
        rule: decimal(undefined, "9007199254740992"),
        passes: strings("9007199254740992"),
        fails: [...strings("9007199254740993", "9007199254740992.1")],
      },
      {
        rule: decimal("0.1"),
        passes: [...strings("0.10000000000000000001", most), "0.1"],
        fails: strings("0.09999999999999999999"),
      },
      {
        rule: decimal(),
        passes: [...strings(most, `-${most}`, `0.${"0".repeat(36)}1`, "0"), "100000000000000000000"],
        fails: [
          ...strings(["39 digits", `${most}9`], ["39 digits with a fraction", `0.${"0".repeat(37)}1`]),
          "1e21",
          "1e-7",
          "-1e21",
        ],
      },
    ]),
    forms(
      "421-decimal-form",
      "decimal: bounds are decimals, in order",
      [decimal(), decimal("0"), decimal(undefined, "-1.00"), decimal("1.0", "1"), decimal(`-${most}`, most)],
      [
        decimal("2", "1"),
        decimal("1.01", "1"),
        decimal("01"),
        decimal("-0"),
        decimal("1e3"),
        decimal(""),
        decimal(`${most}9`),
        rule("decimal", { min: 1 }),
        rule("decimal", { max: null }),
        { ...decimal("1"), min_inclusive: true },
        { ...decimal("1"), currency: "EUR" },
      ],
    ),
    subsumptions("422-decimal-narrower", "decimal: bounds no looser, or values within", [
      {
        parent: decimal("0", "10"),
        takes: [
          decimal("0.00", "10.0"),
          decimal("1", "2"),
          exact("10.00"),
          exact(9.5),
          oneOf("1", 2, "2.50"),
        ],
        not: [
          decimal("0"),
          decimal(undefined, "10"),
          decimal(),
          decimal("-0.01", "1"),
          decimal("0", "10.000000000000000000001"),
          exact("10.01"),
          exact("ten"),
          exact(1e-7),
          oneOf("1", "11"),
          rule("range", { min: 1, max: 2 }),
          any(exact("1")),
          wildcard,
        ],
      },
      {
        parent: decimal("5"),
        takes: [decimal("5.0"), decimal("6", "7")],
        not: [decimal("4.99"), decimal(undefined, "9")],
      },
      { parent: decimal(), takes: [decimal(), decimal("1"), exact("-1")], not: [exact("x"), exact("-0")] },
    ]),
  ];
}

function together(): Vector {
  const offices = any(domain("a.test"), domain("b.test"));
  const some = all(decimal("0", "100"), notOneOf("13"));
  return subsumptions("430-composites-of-our-own", "Our own types in all and any, clause by clause", [
    {
      parent: offices,
      takes: [
        any(domain("b.test")),
        any(exact("x@a.test"), address("y@b.test")),
        any(oneOf("x@a.test", "y@a.test")),
      ],
      not: [any(oneOf("x@a.test", "y@b.test")), any(domain("c.test")), domain("a.test"), exact("x@a.test")],
    },
    {
      parent: some,
      takes: [all(decimal("1", "2"), notOneOf("13")), all(exact("5"), notOneOf("13", "14"))],
      not: [all(decimal("1", "2")), decimal("1", "2"), all(notOneOf("13"), decimal("0"))],
    },
  ]);
}

/** prefix, decimal, and our own types in composites: docs/spec/constraint-types.md. */
export function textRules(): readonly Vector[] {
  return [...prefixes(), ...decimals(), together()];
}
