import type { Json } from "@behest/jws";
import { type Rule, all, exact, range, rule, wildcard } from "./rule.ts";
import { forms, formsOf } from "./rules.ts";
import { type Case, type Vector, accept, named, refuse } from "./vector.ts";

const one = exact(1);
const few = range("[0,9]");
const maybe = (constraint: Rule): Rule => ({ ...constraint, optional: true });

function call(
  name: string,
  tools: Json,
  args: string,
  refused?: "tool_not_granted" | "argument_not_granted",
  tool = "t",
): Case {
  const input = { tools, tool, args };
  return refused ? refuse(name, refused, { step: "6b" }, input) : accept(name, input);
}

function closed(): readonly Vector[] {
  const no = "argument_not_granted";
  const both = { t: { a: one, b: maybe(one) } };
  const open = { t: { a: one, "*": wildcard } };
  const strange = { t: { ["__proto__"]: one, constructor: maybe(one) } };
  const tool = (name: string, granted: Json, called: string): Case =>
    call(name, granted, "{}", "tool_not_granted", called);
  const file = (id: string, title: string, cases: readonly Case[]): Vector => ({
    id,
    title,
    replay: "arguments",
    given: {},
    cases,
  });
  return [
    file("350-arguments", "Arguments are a closed world", [
      call("all of them", both, '{"a":1,"b":1}'),
      call("the optional one left out", both, '{"a":1}'),
      call("in another order", both, '{"b":1,"a":1}'),
      call("the required one left out", both, '{"b":1}', no),
      call("the optional one wrong", both, '{"a":1,"b":2}', no),
      call("the optional one null", both, '{"a":1,"b":null}', no),
      call("one that is not named", both, '{"a":1,"c":1}', no),
      call("the name in capitals", both, '{"A":1}', no),
      call("one called *", both, '{"a":1,"*":1}', no),
      call("none at all", both, "{}", no),
      call("null is there", { t: { a: wildcard } }, '{"a":null}'),
      call("an open map", open, '{"a":1,"c":[],"*":2}'),
      call("an open map with a named argument wrong", open, '{"a":2,"c":1}', no),
      call("an open map with a named argument left out", open, '{"c":1}', no),
      call("an empty map takes everything", { t: {} }, '{"a":1,"*":2,"__proto__":3}'),
      call("an empty map takes nothing", { t: {} }, "{}"),
      call("names that every object has", strange, '{"__proto__":1,"constructor":1}'),
      call("such a name left out", strange, "{}", no),
      call("such a name, not named", both, '{"a":1,"toString":1}', no),
      call("such a name, required", { t: { toString: one } }, "{}", no),
      call("an empty name", { t: { "": one } }, '{"":1}'),
    ]),
    file("351-tools", "So are tools", [
      call("granted", { t: {}, u: {} }, "{}", undefined, "u"),
      call("a name that every object has", { ["__proto__"]: {} }, "{}", undefined, "__proto__"),
      tool("another", { t: {} }, "u"),
      tool("in capitals", { t: {} }, "T"),
      tool("with a space", { t: {} }, "t "),
      tool("decomposed", { "\u00e9": {} }, "e\u0301"),
      tool("escaped", { "a/b": {} }, "a%2Fb"),
      tool("a star is no pattern", { "*": {} }, "t"),
      tool("none is granted", {}, "t"),
      ...["__proto__", "constructor", "toString", "hasOwnProperty"].map((name) =>
        tool(name, { t: {} }, name),
      ),
    ]),
  ];
}

function shaped(): readonly Vector[] {
  const star = (...maps: Json[]) => maps.map((map) => [named(map), { t: map }] as const);
  return [
    formsOf(
      "352-star-form",
      "* takes a bare wildcard and nothing else",
      star({ "*": wildcard }, { a: one, "*": wildcard }, {}),
      star(
        { "*": one },
        { "*": maybe(wildcard) },
        { "*": { ...wildcard, optional: false } },
        { "*": all(wildcard) },
        { a: one, "*": few },
        { "*": null },
      ),
    ),
    forms(
      "353-unknown-types",
      "A type that is not known is refused, wherever it stands",
      [wildcard],
      [
        {},
        null,
        [],
        "wildcard",
        7,
        ...["regex", "Exact", "", "__proto__", "constructor", "toString", "exact "].map((type) => rule(type)),
        { constraint_type: null },
        { constraint_type: ["wildcard"] },
        { constraint_type: { exact: 1 } },
        { type: "wildcard" },
        { constraintType: "wildcard" },
      ],
    ),
  ];
}

/** Which calls a map of arguments admits, and what may stand in one: section 3.3. */
export function calls(): readonly Vector[] {
  return [...closed(), ...shaped()];
}
