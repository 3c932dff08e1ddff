import * as fc from "fast-check";
import { expect, test } from "vitest";
import { calls, overlapping, permits, tools } from "../../test/random.ts";
import { compareGrants, widenings } from "./compare.ts";
import type { AatTools, Constraint, ConstraintMap, Known } from "./constraint.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { explainTools, meetTools } from "./meet-tools.ts";
import { rewrapTools } from "./narrow.ts";
import { is } from "../grants/rule.ts";
import { normalTools, readTools } from "./tools.ts";

const grantsPair = overlapping.map(([parent, wanted]) => [normalTools(parent), normalTools(wanted)] as const);

const maybe = (constraint: Constraint): Constraint => ({ ...constraint, optional: true });
const one = is.oneOf("a").constraint;
const other = is.oneOf("b").constraint;
const two = is.oneOf("a", "b").constraint;
const star = is.any.constraint;

test.each<[string, ConstraintMap, ConstraintMap, ConstraintMap | undefined]>([
  [
    "an argument of both keeps what both permit",
    { p: two },
    { p: is.oneOf("b", "c").constraint },
    { p: other },
  ],
  ["a required argument stays required", { p: two }, { p: maybe(one) }, { p: one }],
  ["an optional one may become required", { p: maybe(two) }, { p: one }, { p: one }],
  [
    "nothing in common for a required argument leaves the tool out",
    { p: one },
    { p: maybe(other) },
    undefined,
  ],
  ["also where only the wish requires it", { p: maybe(one) }, { p: other }, undefined],
  [
    "nothing in common for an optional argument leaves the argument out",
    { p: maybe(one), q: star },
    { p: maybe(other), q: star },
    { q: star },
  ],
  [
    "and closes an open map, where it would be free",
    { p: maybe(one), q: star, "*": star },
    { p: maybe(other), q: star, "*": star },
    { q: star },
  ],
  [
    "an argument that the parent does not name is left out",
    { p: one },
    { p: one, q: maybe(one) },
    { p: one },
  ],
  ["with the tool, where the wish requires it", { p: one }, { p: one, q: one }, undefined],
  ["an open parent permits it", { p: one, "*": star }, { p: one, q: other }, { p: one, q: other }],
  ["an argument that the wish leaves out is forbidden", { p: one, q: maybe(one) }, { p: one }, { p: one }],
  ["unless the parent requires it", { p: one, q: one }, { p: one }, undefined],
  [
    "an open wish takes what the parent names",
    { p: one, q: maybe(one) },
    { "*": star },
    { p: one, q: maybe(one) },
  ],
  ["and stays open under an open parent", { p: one, "*": star }, { "*": star }, { p: one, "*": star }],
  ["no argument left cannot be said", { p: maybe(one) }, { q: maybe(one) }, undefined],
])("%s", (_, parent, wanted, kept) => {
  expect(meetTools({ t: parent }, { t: wanted })).toEqual(kept ? { t: kept } : {});
});

test("what is left is within the parent, well-formed, and permits no call that either refuses", () => {
  let [narrowed, permitted] = [0, 0];
  fc.assert(
    fc.property(grantsPair, ([parent, wanted]) => {
      const common = meetTools(parent, wanted);
      expect(widenings(parent, common)).toEqual([]);
      expect(readTools(common, DEFAULT_LIMITS)).toEqual(common);
      expect(meetTools(parent, wanted)).toEqual(common);
      const open = calls.filter(([tool, args]) => permits(common, tool, args));
      expect(
        open.filter(([tool, args]) => !permits(parent, tool, args) || !permits(wanted, tool, args)),
      ).toEqual([]);
      if (compareGrants(parent, rewrapTools(parent, wanted)).length > 0) {
        narrowed++;
        permitted += open.length;
        return;
      }
      // What deriving accepts is not narrowed.
      expect(
        calls.filter(([tool, args]) => permits(common, tool, args) !== permits(wanted, tool, args)),
      ).toEqual([]);
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(narrowed, permitted)).toBeGreaterThan(100);
});

test("a grant has all of itself in common with itself", () => {
  fc.assert(
    fc.property(tools.map(normalTools), (grant) => {
      expect(meetTools(grant, grant)).toEqual(grant);
      expect(explainTools(grant, grant).every(({ result }) => result === "kept")).toBe(true);
    }),
  );
});

test("an explanation says what deriving and narrowing do", () => {
  const seen = { kept: 0, narrowed: 0, refused: 0 };
  fc.assert(
    fc.property(grantsPair, ([parent, wanted]) => {
      const places = explainTools(parent, wanted);
      const common = meetTools(parent, wanted);
      const wider = new Set(widenings(parent, rewrapTools(parent, wanted)).map(({ path }) => path));
      const result = new Map(places.map((place) => [place.path, place.result]));
      expect(result.size).toBe(places.length);
      for (const path of wider) expect([path, result.get(path)]).not.toEqual([path, "kept"]);
      expect(places.every((place) => place.result === "kept")).toBe(wider.size === 0);
      for (const [tool, map] of Object.entries(wanted)) {
        expect(result.get(`tools.${tool}`) === "refused").toBe(!Object.hasOwn(common, tool));
        if (Object.hasOwn(parent, tool))
          for (const name of Object.keys(map)) {
            const said = result.get(`tools.${tool}.${name}`)!;
            seen[said]++;
            const open = name === "*" && said === "narrowed";
            if (Object.hasOwn(common, tool))
              expect(Object.hasOwn(common[tool]!, name)).toBe(said !== "refused" && !open);
            // A place that deriving accepts is refused only because of another one.
            if (name !== "*") expect(said === "kept").toBe(!wider.has(`tools.${tool}.${name}`));
          }
      }
    }),
    { numRuns: 2000 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(100);
});

test("an explanation names types and rules, never values", () => {
  const parent = {
    mail: { to: is.email("@secret.test").constraint, cc: one },
    pay: { amount: is.decimal({ max: "77.77" }).constraint },
  };
  const wanted = {
    mail: { to: is.email("@hidden.test").constraint, "*": star },
    pay: { amount: is.decimal({ min: "5", max: "88.88" }).constraint },
    remove: { "*": star },
  };
  const places = explainTools(parent, wanted);
  expect(JSON.stringify(places)).not.toMatch(/secret|hidden|77|88/);
  expect(places).toEqual([
    {
      path: "tools.mail",
      result: "refused",
      parent: "granted",
      child: "granted",
      why: "an argument that must be there is refused",
    },
    { path: "tools.mail.to", result: "refused", parent: "email", child: "email", why: "nothing in common" },
    {
      path: "tools.mail.cc",
      result: "narrowed",
      parent: "required",
      child: "left out",
      why: "the parent's own rule for the argument stays",
    },
    {
      path: "tools.mail.*",
      result: "narrowed",
      parent: "named arguments only",
      child: "any argument",
      why: "the parent permits no other arguments",
    },
    {
      path: "tools.pay",
      result: "narrowed",
      parent: "granted",
      child: "granted",
      why: "only what both permit",
    },
    {
      path: "tools.pay.amount",
      result: "narrowed",
      parent: "decimal",
      child: "decimal",
      why: "only what both permit",
    },
    {
      path: "tools.remove",
      result: "refused",
      parent: "not granted",
      child: "granted",
      why: "the parent does not grant the tool",
    },
  ]);
});

const ranges = (count: number, offset: number): readonly Known[] =>
  Array.from({ length: count }, (_, i) => ({
    constraint_type: "range",
    min: i * 10 + offset,
    max: i * 10 + offset + 5,
  }));

test("too much to compare is refused, not compared", () => {
  const grant = (count: number, offset: number): AatTools => ({
    t: { p: { constraint_type: "any", constraints: ranges(count, offset) } as unknown as Constraint },
  });
  expect(Object.keys(meetTools(grant(20, 0), grant(20, 3)))).toEqual(["t"]);
  expect(explainTools(grant(255, 0), grant(255, 3))[1]).toMatchObject({
    result: "refused",
    why: "too much to compare",
  });
  // What is within the parent is not narrowed, however much it is.
  expect(meetTools(grant(255, 0), grant(255, 0))).toEqual(grant(255, 0));
});

test("a result over a limit is left out", () => {
  const clauses = (count: number, text: string): Constraint => ({
    constraint_type: "all",
    constraints: Array.from({ length: count }, (_, i) => ({
      constraint_type: "prefix",
      prefix: text.repeat(i + 1),
    })),
  });
  const many = (count: number, constraint: Constraint): ConstraintMap =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, constraint]));
  const parent = {
    t: many(10, {
      constraint_type: "all",
      constraints: [
        { constraint_type: "not_one_of", excluded: ["x"] },
        { constraint_type: "not_one_of", excluded: ["y"] },
      ],
    }),
  };
  const wanted = { t: many(10, clauses(23, "a")) };
  expect(readTools(parent, DEFAULT_LIMITS)).toEqual(parent);
  expect(readTools(wanted, DEFAULT_LIMITS)).toEqual(wanted);
  expect(meetTools(parent, wanted)).toEqual({});
  expect(explainTools(parent, wanted)[0]).toMatchObject({ path: "tools.t", result: "refused" });
});
