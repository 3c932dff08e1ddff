import type { Json } from "@behest/jws";
import { all, any, contains, exact, nested, notOneOf, oneOf, range, rule, subset, wildcard } from "./rule.ts";
import { checks, forms, subsumptions } from "./rules.ts";
import type { Vector } from "./vector.ts";

/** wildcard, all and any. */
export function compositeRules(): readonly Vector[] {
  const inside = (type: "all" | "any"): readonly Json[] => [
    rule(type, { constraints: [exact(1)] }),
    rule(type, { constraints: [exact(1), all(any(wildcard))] }),
    nested(type, 31, wildcard),
  ];
  const outside = (type: "all" | "any"): readonly Json[] => [
    rule(type),
    rule(type, { constraints: [] }),
    rule(type, { constraints: exact(1) }),
    rule(type, { constraints: [null] }),
    rule(type, { constraints: [[exact(1)]] }),
    rule(type, { constraints: [{ ...exact(1), optional: true }] }),
    rule(type, { constraints: [{ ...exact(1), optional: false }] }),
    rule(type, { constraints: [exact(1), rule("regex", { pattern: "a" })] }),
    rule(type, { constraints: [rule("range", { min: 2, max: 1 })] }),
    { ...rule(type, { constraints: [exact(1)] }), value: 1 },
    rule(type, { constraints: [all()] }),
    nested(type, 32, wildcard),
  ];
  const [low, high] = [range("(,5]"), range("[1,)")];
  return [
    checks("330-wildcard", "wildcard: any value", [
      { rule: wildcard, passes: ["null", "0", '""', "[]", '{"a":[1]}', "false"], fails: [] },
    ]),
    forms(
      "331-wildcard-form",
      "wildcard: well-formed",
      [wildcard, { ...wildcard, optional: true }],
      [
        { ...wildcard, value: 1 },
        { ...wildcard, constraints: [] },
      ],
    ),
    subsumptions("332-wildcard-narrower", "wildcard: everything is narrower", [
      {
        parent: wildcard,
        takes: [
          wildcard,
          exact(1),
          range("[1,5]"),
          oneOf(1),
          notOneOf(1),
          contains(1),
          subset(1),
          all(exact(1)),
          any(exact(1)),
          rule("prefix", { prefix: "a" }),
          rule("email", { domain: "a.test" }),
          rule("path", { under: "/a" }),
          rule("url", { base: "https://a.test" }),
          rule("decimal"),
        ],
        not: [],
      },
    ]),
    checks("335-all", "all: every clause holds", [
      { rule: all(low, high, notOneOf(3)), passes: ["1", "5", "2.5"], fails: ["0", "6", "3", '"2"'] },
      { rule: all(any(exact(1), exact(2)), notOneOf(2)), passes: ["1"], fails: ["2", "3"] },
    ]),
    forms("336-all-form", "all: well-formed, at most 32 deep", inside("all"), outside("all")),
    subsumptions("337-all-narrower", "all: each of the parent's clauses has a narrower one", [
      {
        parent: all(low, notOneOf(3)),
        takes: [
          all(low, notOneOf(3)),
          all(notOneOf(3, 4), range("[1,2]")),
          all(range("[1,2]"), notOneOf(3), high),
          all(exact(1), notOneOf(3)),
        ],
        not: [
          all(low),
          all(notOneOf(3)),
          all(range("(,6]"), notOneOf(3)),
          all(exact(1)),
          low,
          exact(1),
          range("[1,2]"),
          any(all(low, notOneOf(3))),
          wildcard,
        ],
      },
      {
        parent: all(low, high),
        takes: [all(range("[2,3]")), all(exact(2))],
        not: [all(low), range("[2,3]"), exact(2)],
      },
      {
        parent: all(all(low)),
        takes: [all(all(range("[2,3]"), high))],
        not: [all(low), all(range("[2,3]"))],
      },
    ]),
    checks("340-any", "any: some clause holds", [
      {
        rule: any(exact("a"), range("[1,5]")),
        passes: ['"a"', "1", "5"],
        fails: ['"b"', "0", '"1"', "null"],
      },
      { rule: any(all(low, high), exact("a")), passes: ["3", '"a"'], fails: ["9", '"A"'] },
    ]),
    forms("341-any-form", "any: well-formed, at most 32 deep", inside("any"), outside("any")),
    subsumptions("342-any-narrower", "any: each of the child's clauses is within one of the parent's", [
      {
        parent: any(exact("a"), range("[1,5]")),
        takes: [
          any(exact("a")),
          any(range("[2,3]"), exact(4), exact("a")),
          any(exact(1), exact(2), exact(3)),
        ],
        not: [
          any(exact("b")),
          any(exact("a"), range("[1,6]")),
          any(oneOf("a")),
          exact("a"),
          range("[2,3]"),
          all(exact("a")),
          oneOf("a"),
          wildcard,
        ],
      },
      { parent: any(any(exact(1))), takes: [any(any(exact(1)))], not: [any(exact(1)), exact(1)] },
    ]),
  ];
}
