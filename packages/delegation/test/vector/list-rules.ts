import { any, contains, exact, notOneOf, oneOf, range, rule, subset, wildcard } from "./rule.ts";
import { checks, forms, subsumptions } from "./rules.ts";
import type { Vector } from "./vector.ts";

/** one_of, not_one_of, contains and subset. */
export function listRules(): readonly Vector[] {
  const mixed = oneOf("a", 1, null, { x: 1, y: [2] }, [1, 2]);
  return [
    checks("310-one-of", "one_of: equal to a member", [
      {
        rule: mixed,
        passes: ['"a"', "1", "1.0", "null", '{"y":[2],"x":1.0}', "[1,2]"],
        fails: [
          '"1"',
          "true",
          "0",
          '"A"',
          "[2,1]",
          '{"x":1}',
          '{"x":1,"y":[2],"z":3}',
          "[1]",
          "[]",
          '"null"',
        ],
      },
      { rule: oneOf('{"x":1}'), passes: ['"{\\"x\\":1}"'], fails: ['{"x":1}'] },
    ]),
    forms(
      "311-one-of-form",
      "one_of: well-formed",
      [oneOf(1), oneOf(1, 1), mixed, oneOf([]), oneOf({})],
      [
        rule("one_of"),
        oneOf(),
        rule("one_of", { values: {} }),
        rule("one_of", { values: "a" }),
        rule("one_of", { values: null }),
        { ...oneOf(1), value: 1 },
      ],
    ),
    subsumptions("312-one-of-narrower", "one_of: a subset, or a member", [
      {
        parent: oneOf(1, 2, "a"),
        takes: [oneOf(1), oneOf("a", 1, 2), oneOf(1, 1), exact(2), exact("a")],
        not: [
          oneOf(1, 3),
          oneOf("1"),
          exact(3),
          exact("2"),
          notOneOf(3),
          range("[1,2]"),
          any(exact(1)),
          subset(1),
          wildcard,
        ],
      },
      {
        parent: oneOf({ x: 1, y: 2 }, [1]),
        takes: [oneOf({ y: 2, x: 1 }), oneOf([1])],
        not: [oneOf({ x: 1 }), oneOf(1), exact(1)],
      },
    ]),
    checks("315-not-one-of", "not_one_of: equal to no member", [
      {
        rule: notOneOf("a", 1, { x: 1 }),
        passes: ['"A"', '"1"', "2", "null", "[]", '{"x":2}', '["a"]'],
        fails: ['"a"', "1", "1.0", '{"x":1}', '"\\u0061"'],
      },
      { rule: notOneOf(), passes: ["1", "null"], fails: [] },
    ]),
    forms(
      "316-not-one-of-form",
      "not_one_of: well-formed",
      [notOneOf(), notOneOf(1, "a", null)],
      [
        rule("not_one_of"),
        rule("not_one_of", { excluded: null }),
        rule("not_one_of", { excluded: "a" }),
        rule("not_one_of", { values: [1] }),
      ],
    ),
    subsumptions("317-not-one-of-narrower", "not_one_of: excludes at least as much", [
      {
        parent: notOneOf(1, "a"),
        takes: [notOneOf("a", 1), notOneOf(1, 2, "a")],
        not: [notOneOf(1), notOneOf(), notOneOf("1", "a"), exact(2), oneOf(2), range("[5,9]"), wildcard],
      },
      { parent: notOneOf(), takes: [notOneOf(), notOneOf(1)], not: [exact(1), wildcard] },
    ]),
    checks("320-contains", "contains: an array with every element", [
      {
        rule: contains("a", 1),
        passes: ['["a",1]', '[2,1.0,"b","a"]', '[1,1,"a"]'],
        fails: ['["a"]', '["a","1"]', "[]", '"a1"', "1", '{"0":"a","1":1}', '[["a",1]]', "null"],
      },
      { rule: contains({ x: 1, y: 2 }), passes: ['[{"y":2,"x":1}]'], fails: ['[{"x":1}]', '{"x":1,"y":2}'] },
      { rule: contains(), passes: ["[]", "[1]"], fails: ['""', "null", "{}"] },
    ]),
    forms(
      "321-contains-form",
      "contains: well-formed",
      [contains(), contains(1, [2])],
      [
        rule("contains"),
        rule("contains", { required: "a" }),
        rule("contains", { required: true }),
        rule("contains", { values: [1] }),
      ],
    ),
    subsumptions("322-contains-narrower", "contains: demands at least as much", [
      {
        parent: contains("a", 1),
        takes: [contains(1, "a"), contains("a", 1, 2)],
        not: [
          contains("a"),
          contains(),
          contains("a", "1"),
          exact("a"),
          oneOf(["a", 1]),
          subset("a", 1),
          wildcard,
        ],
      },
      { parent: contains(), takes: [contains(), contains(1)], not: [subset(), wildcard] },
    ]),
    checks("325-subset", "subset: an array of nothing else", [
      {
        rule: subset("a", 1),
        passes: ["[]", '["a"]', '[1.0,"a","a"]'],
        fails: ['["b"]', '["a","1"]', '"a"', "1", "null", "{}", '[["a"]]', "[null]"],
      },
      { rule: subset(), passes: ["[]"], fails: ["[1]", '""', "null"] },
    ]),
    forms(
      "326-subset-form",
      "subset: well-formed",
      [subset(), subset(1, "a", { x: 1 })],
      [
        rule("subset"),
        rule("subset", { allowed: {} }),
        rule("subset", { allowed: 1 }),
        { ...subset(1), required: [1] },
      ],
    ),
    subsumptions("327-subset-narrower", "subset: allows no more", [
      {
        parent: subset("a", 1),
        takes: [subset(), subset("a"), subset(1, "a")],
        not: [subset("b"), subset("a", 1, 2), subset("1"), contains("a"), exact("a"), oneOf(["a"]), wildcard],
      },
    ]),
  ];
}
