import type { Json } from "@behest/jws";
import { type Rule, exact, range, rule, wildcard } from "./rule.ts";
import { type Case, type Vector, accept, refuse } from "./vector.ts";

const one = exact(1);
const few = range("[0,9]");
const maybe = (constraint: Rule): Rule => ({ ...constraint, optional: true });

function compared(): readonly Vector[] {
  const file = (id: string, title: string, cases: readonly Case[]): Vector => ({
    id,
    title,
    replay: "grants",
    given: {},
    cases,
  });
  const narrower = (name: string, parent: Json, child: Json): Case => accept(name, { parent, child });
  const wider =
    (step: string) =>
    (name: string, parent: Json, child: Json, ...places: [string, string, string][]): Case => ({
      ...refuse(name, "wider_than_parent", { step, hop: 1 }, { parent, child }),
      wider: places.map(([path, held, asked]) => ({ path: `tools.${path}`, parent: held, child: asked })),
    });
  const [p1, p2, p3, p4] = [wider("4p1"), wider("4p2"), wider("4p3"), wider("4p4")] as const;
  const unnamed = "named arguments only";
  return [
    file("354-tools-narrower", "A child's tools are its parent's (4p1)", [
      narrower("the same", { t: {}, u: {} }, { u: {}, t: {} }),
      narrower("fewer", { t: {}, u: {} }, { u: {} }),
      narrower("none", { t: {} }, {}),
      p1("another", { t: {} }, { u: {} }, ["u", "not granted", "granted"]),
      p1("one more", { t: {} }, { t: {}, u: {} }, ["u", "not granted", "granted"]),
      p1("in capitals", { t: {} }, { T: {} }, ["T", "not granted", "granted"]),
      p1("a name that every object has", { t: {} }, { ["__proto__"]: {} }, [
        "__proto__",
        "not granted",
        "granted",
      ]),
      p1("under none", {}, { t: {} }, ["t", "not granted", "granted"]),
    ]),
    file("355-arguments-narrower", "A child names what its parent names (4p2)", [
      narrower("the same", { t: { a: one } }, { t: { a: one } }),
      narrower("an optional one left out", { t: { a: one, b: maybe(one) } }, { t: { a: one } }),
      narrower("others, where the parent has *", { t: { "*": wildcard } }, { t: { a: one, b: maybe(few) } }),
      narrower("others, where the parent is empty", { t: {} }, { t: { a: one, "*": wildcard } }),
      narrower("an empty map under an empty map", { t: {} }, { t: {} }),
      narrower("an empty map under *", { t: { "*": wildcard } }, { t: {} }),
      narrower("* dropped", { t: { a: one, "*": wildcard } }, { t: { a: one } }),
      narrower(
        "* dropped, with an optional one left out",
        { t: { a: one, b: maybe(one), "*": wildcard } },
        { t: { a: one } },
      ),
      p2("another", { t: { a: one } }, { t: { a: one, b: one } }, ["t.b", "not named", "exact"]),
      p2("an optional other", { t: { a: one } }, { t: { a: one, b: maybe(one) } }, [
        "t.b",
        "not named",
        "exact",
      ]),
      p2("a required one left out", { t: { a: one, b: one } }, { t: { a: one } }, [
        "t.b",
        "required",
        "left out",
      ]),
      p2("a required one left out under *", { t: { a: one, "*": wildcard } }, { t: { "*": wildcard } }, [
        "t.a",
        "required",
        "left out",
      ]),
      p2(
        "an optional one left out, where the child has *",
        { t: { a: maybe(one), "*": wildcard } },
        { t: { "*": wildcard } },
        ["t.a", "exact", "any value"],
      ),
      p2("* added", { t: { a: one } }, { t: { a: one, "*": wildcard } }, ["t.*", unnamed, "any argument"]),
      p2(
        "an empty map where the parent has none",
        { t: { a: maybe(one) } },
        { t: {} },
        ["t.*", unnamed, "any argument"],
        ["t.a", "exact", "any value"],
      ),
      p2("a name that every object has", { t: { a: one } }, { t: { a: one, ["__proto__"]: one } }, [
        "t.__proto__",
        "not named",
        "exact",
      ]),
    ]),
    file("356-optional-narrower", "Required stays required (4p3)", [
      narrower("required under optional", { t: { a: maybe(one) } }, { t: { a: one } }),
      narrower("optional under optional", { t: { a: maybe(few) } }, { t: { a: maybe(one) } }),
      narrower("optional: false is required", { t: { a: { ...one, optional: false } } }, { t: { a: one } }),
      p3("optional under required", { t: { a: one } }, { t: { a: maybe(one) } }, [
        "t.a",
        "required",
        "optional",
      ]),
      p3(
        "optional under optional: false",
        { t: { a: { ...one, optional: false } } },
        { t: { a: maybe(one) } },
        ["t.a", "required", "optional"],
      ),
      p3(
        "also where the constraint is wider",
        { t: { a: one } },
        { t: { a: maybe(few) } },
        ["t.a", "required", "optional"],
        ["t.a", "exact", "range"],
      ),
    ]),
    file("357-several-wider", "The first step counts; every place is named", [
      p1(
        "tool before argument",
        { t: { a: one } },
        { t: { a: few }, u: {} },
        ["t.a", "exact", "range"],
        ["u", "not granted", "granted"],
      ),
      p2(
        "name before constraint",
        { t: { a: one } },
        { t: { a: few, b: one } },
        ["t.a", "exact", "range"],
        ["t.b", "not named", "exact"],
      ),
      p4(
        "in two tools",
        { t: { a: one }, u: { a: few } },
        { t: { a: few }, u: { a: wildcard } },
        ["t.a", "exact", "range"],
        ["u.a", "range", "wildcard"],
      ),
    ]),
  ];
}

/** One of each type; some of them admit the same values, and are refused nevertheless. */
const EACH: readonly Rule[] = [
  rule("exact", { value: "a" }),
  rule("range", { min: 5, max: 5 }),
  rule("one_of", { values: ["a"] }),
  rule("not_one_of", { excluded: ["b"] }),
  rule("contains", { required: ["a"] }),
  rule("subset", { allowed: ["a"] }),
  wildcard,
  rule("all", { constraints: [rule("exact", { value: "a" })] }),
  rule("any", { constraints: [rule("exact", { value: "a" })] }),
  rule("prefix", { prefix: "a" }),
  rule("email", { address: "a@a.test" }),
  rule("path", { under: "a" }),
  rule("url", { base: "https://a.test" }),
  rule("decimal", { min: "5", max: "5" }),
];
/** Parent → children that the tables know. */
const KNOWN: { readonly [parent: string]: readonly string[] } = {
  range: ["exact"],
  one_of: ["exact"],
  ...Object.fromEntries(
    ["prefix", "email", "path", "url", "decimal"].map((type) => [type, ["exact", "one_of"]]),
  ),
};

function outside(): Vector {
  const pairs = EACH.filter((parent) => parent !== wildcard).flatMap((parent) =>
    EACH.filter(
      (child) => child !== parent && !KNOWN[parent.constraint_type]?.includes(child.constraint_type),
    ).map((child) => ({ parent, child })),
  );
  const cases = pairs.map(({ parent, child }) =>
    refuse(
      `${child.constraint_type} under ${parent.constraint_type}`,
      "wider_than_parent",
      { step: "4p4", hop: 1 },
      {
        parent: { t: { v: parent } },
        child: { t: { v: child } },
      },
    ),
  );
  return {
    id: "360-outside-the-tables",
    title: "Every pair of types that the tables do not know, however narrow it looks",
    replay: "grants",
    given: {},
    cases,
  };
}

/** Tools and arguments as wholes: section 4. */
export function grants(): readonly Vector[] {
  return [...compared(), outside()];
}
