import { all, any, exact, oneOf, range, rule, subset, wildcard } from "./rule.ts";
import { checks, forms, subsumptions } from "./rules.ts";
import type { Vector } from "./vector.ts";

/** exact and range, of section 3.4 and of the table of section 4. */
export function scalarRules(): readonly Vector[] {
  return [
    checks("300-exact", "exact: the value itself, compared as RFC 8785 prints it", [
      {
        rule: exact("a"),
        passes: ['"a"', '"\\u0061"'],
        fails: ['"A"', '"a "', '""', '["a"]', "null", '{"value":"a"}'],
      },
      {
        rule: exact(1),
        passes: ["1", "1.0", "1e0", "10e-1"],
        fails: ["2", '"1"', "true", "[1]", "-1", "1.5"],
      },
      { rule: exact(0), passes: ["0", "-0", "0.0", "0e9"], fails: ["false", "null", '""', '"0"', "[]"] },
      { rule: exact(true), passes: ["true"], fails: ["false", "1", '"true"'] },
      { rule: exact(null), passes: ["null"], fails: ["0", "false", '""', "{}", '"null"'] },
      {
        rule: exact("\u00e9"),
        passes: [
          ["composed", '"\u00e9"'],
          ["escaped", '"\\u00e9"'],
        ],
        fails: [["decomposed", '"e\\u0301"'], '"e"'],
      },
    ]),
    forms(
      "301-exact-form",
      "exact: well-formed",
      [
        exact("a"),
        exact(""),
        exact(-1.5),
        exact(false),
        exact(null),
        { ...exact(1), optional: true },
        { ...exact(1), optional: false },
      ],
      [
        rule("exact"),
        exact({}),
        exact([]),
        exact([1]),
        { ...exact(1), values: [1] },
        { ...exact(1), note: "x" },
        { ...exact(1), optional: "true" },
        { ...exact(1), optional: null },
        { ...exact(1), optional: 1 },
      ],
    ),
    subsumptions("302-exact-narrower", "exact: narrower is exact of an equal value", [
      {
        parent: exact("a"),
        takes: [exact("a")],
        not: [
          exact("b"),
          exact("A"),
          oneOf("a"),
          rule("prefix", { prefix: "a" }),
          any(exact("a")),
          all(exact("a")),
        ],
      },
      {
        parent: exact(1),
        takes: [exact(1)],
        not: [exact(2), exact("1"), exact(true), range("[1,1]"), subset()],
      },
      { parent: exact(null), takes: [exact(null)], not: [exact(false), exact("")] },
    ]),
    checks("305-range", "range: a number within the bounds", [
      {
        rule: range("[1,5]"),
        passes: ["1", "5", "3.5", "1.0", "5e0"],
        fails: [
          "0",
          "6",
          "0.9999999999999999",
          "5.000000000000001",
          "-3",
          '"3"',
          "true",
          "null",
          "[3]",
          '"1"',
        ],
      },
      { rule: range("(1,5)"), passes: ["1.0000000000000002", "4.999999999999999", "3"], fails: ["1", "5"] },
      { rule: range("[1,)"), passes: ["1", "1e300"], fails: ["0", "-1e300"] },
      { rule: range("(,5]"), passes: ["5", "-1e300"], fails: ["6"] },
      { rule: range("(,)"), passes: ["0", "-1e300"], fails: ['"0"', "false", "null"] },
      { rule: range("[2,2]"), passes: ["2"], fails: ["1", "3"] },
      { rule: range("(2,2)"), passes: [], fails: ["2"] },
      { rule: range("[0,1]"), passes: ["-0"], fails: ["-0.1"] },
    ]),
    forms(
      "306-range-form",
      "range: well-formed",
      [
        range("(,)"),
        range("[1,)"),
        range("(,1]"),
        range("[1,1]"),
        range("(1,1)"),
        range("[-2.5,1)"),
        rule("range", { min: 1, min_inclusive: true }),
      ],
      [
        rule("range", { min: 2, max: 1 }),
        rule("range", { min: null }),
        rule("range", { max: "5" }),
        rule("range", { min: true }),
        rule("range", { min: [1] }),
        rule("range", { min_inclusive: false }),
        rule("range", { min: 1, max_inclusive: false }),
        rule("range", { min: 1, min_inclusive: "false" }),
        rule("range", { max: 1, max_inclusive: null }),
        rule("range", { min: 1, step: 1 }),
        rule("range", { minimum: 1 }),
      ],
    ),
    subsumptions("307-range-narrower", "range: at least as tight, or a number inside", [
      {
        parent: range("[1,5]"),
        takes: [
          range("[1,5]"),
          range("(1,5)"),
          range("[2,3]"),
          range("[5,5]"),
          range("(3,3)"),
          exact(1),
          exact(2.5),
        ],
        not: [
          range("[0.5,5]"),
          range("[1,5.5]"),
          range("[1,)"),
          range("(,5]"),
          range("(,)"),
          exact(0),
          exact("2"),
          exact(true),
          exact(null),
          oneOf(2),
          any(range("[2,3]")),
          all(range("[2,3]")),
          wildcard,
          rule("decimal", { min: "2", max: "3" }),
        ],
      },
      {
        parent: range("(1,5)"),
        takes: [range("(1,5)"), range("[1.5,4.5]"), range("[2,5)"), exact(2)],
        not: [range("[1,5)"), range("(1,5]"), exact(1), exact(5)],
      },
      {
        parent: range("[1,)"),
        takes: [range("[1,)"), range("[2,9]"), range("(1,)"), exact(1)],
        not: [range("(,2]"), range("(,)")],
      },
      {
        parent: range("(,5]"),
        takes: [range("(,5]"), range("[1,2]"), range("(,5)")],
        not: [range("[1,)"), range("(,)")],
      },
      { parent: range("(,)"), takes: [range("(,)"), range("[1,5]"), exact(7)], not: [exact("7"), oneOf(7)] },
    ]),
  ];
}
