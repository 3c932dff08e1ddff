import type { Json } from "@behest/jws";
import * as fc from "fast-check";
import type { Known } from "../src/constraints/constraint.ts";
import { type AatTools, type Arguments, type Constraint, checkArguments } from "../src/index.ts";

// A small world, so that random constraints overlap, contain each other and admit random values often.
const TEXTS = [
  "a",
  "b",
  "ab",
  "x@a.test",
  "y@a.test",
  "x@b.test",
  "/d",
  "/d/e",
  "/d/e/f",
  "https://h.test/p",
  "https://h.test/p/q",
  "https://a.h.test/p",
  "/d/../d/e",
  "1.50",
  "3",
];
const scalar = fc.oneof(
  fc.constantFrom(...TEXTS),
  fc.integer({ min: 0, max: 5 }),
  fc.constantFrom(0.5, true, false, null),
);
const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom<Json>({ a: 1 }, { a: 1, b: [2] }) },
);
const values = fc.array(value, { maxLength: 4 });
const someValues = fc.array(value, { minLength: 1, maxLength: 4 });

const range = fc
  .record({
    low: fc.integer({ min: 0, max: 5 }),
    width: fc.integer({ min: 0, max: 4 }),
    flags: fc.integer({ min: 0, max: 15 }),
  })
  .map(({ low, width, flags }): Known => ({
    constraint_type: "range",
    ...(flags & 1 && { min: low, ...(flags & 2 && { min_inclusive: false }) }),
    ...(flags & 4 && { max: low + width, ...(flags & 8 && { max_inclusive: false }) }),
  }));

const world = fc.letrec<{ constraint: Known; leaf: Known }>((tie) => ({
  leaf: fc.oneof(
    fc.constant<Known>({ constraint_type: "wildcard" }),
    scalar.map((exact): Known => ({ constraint_type: "exact", value: exact })),
    range,
    someValues.map((list): Known => ({ constraint_type: "one_of", values: list })),
    values.map((list): Known => ({ constraint_type: "not_one_of", excluded: list })),
    values.map((list): Known => ({ constraint_type: "contains", required: list })),
    values.map((list): Known => ({ constraint_type: "subset", allowed: list })),
    fc
      .constantFrom("a", "ab", "x@", "https://")
      .map((prefix): Known => ({ constraint_type: "prefix", prefix })),
    fc.constantFrom<Known>(
      { constraint_type: "email", domain: "a.test" },
      { constraint_type: "email", address: "x@a.test" },
      { constraint_type: "path", under: "/d" },
      { constraint_type: "path", under: "/d/e" },
      { constraint_type: "url", base: "https://h.test" },
      { constraint_type: "url", base: "https://h.test/p" },
      { constraint_type: "url", base: "https://*.h.test" },
      { constraint_type: "decimal", min: "1.5" },
      { constraint_type: "decimal", min: "0", max: "3.00" },
    ),
  ),
  constraint: fc.oneof(
    { maxDepth: 4 },
    { weight: 3, arbitrary: tie("leaf") },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom("all" as const, "any" as const),
          fc.array(tie("constraint"), { minLength: 1, maxLength: 3 }),
        )
        .map(([type, constraints]): Known => ({ constraint_type: type, constraints })),
    },
  ),
}));

export const leaf: fc.Arbitrary<Known> = world.leaf;
/** Up to four levels. */
export const constraint: fc.Arbitrary<Known> = world.constraint;

/** Something that is often a part of `parent`: its own parts, its values, itself wrapped once more. */
function related(parent: Known): fc.Arbitrary<Known> {
  const parts: Known[] = [parent];
  if (parent.constraint_type === "all" || parent.constraint_type === "any") {
    parts.push(...parent.constraints);
    parts.push({ ...parent, constraints: parent.constraints.slice(0, 1) });
  }
  if (parent.constraint_type === "one_of") parts.push({ ...parent, values: parent.values.slice(0, 1) });
  const part = fc.constantFrom(...parts);
  return fc.oneof(
    constraint,
    part,
    scalar.map((exact): Known => ({ constraint_type: "exact", value: exact })),
    fc.tuple(part, constraint).map(([a, b]): Known => ({ constraint_type: "all", constraints: [a, b] })),
    fc.tuple(part, part).map(([a, b]): Known => ({ constraint_type: "any", constraints: [a, b] })),
  );
}
/** A parent, and what is often a part of it. */
export const pair: fc.Arbitrary<[Known, Known]> = constraint.chain((parent) =>
  fc.tuple(fc.constant(parent), related(parent)),
);
export const EVERYTHING: readonly Json[] = fc.sample(value, { numRuns: 300, seed: 7 });

const map = fc.dictionary(
  fc.constantFrom("p", "q", "__proto__", "constructor"),
  fc
    .tuple(constraint, fc.boolean())
    .map(([bare, optional]) => ({ ...bare, ...(optional && { optional }) }) as Constraint),
  { maxKeys: 3 },
);
const openMap = fc
  .tuple(map, fc.boolean())
  .map(([named, open]) =>
    Object.fromEntries([
      ...Object.entries(named),
      ...(open ? [["*", { constraint_type: "wildcard" }] as const] : []),
    ]),
  );
export const tools: fc.Arbitrary<AatTools> = fc.dictionary(fc.constantFrom("t", "u", "__proto__"), openMap, {
  maxKeys: 2,
});
/** A parent, and what is often nearly the same. */
export const toolPair: fc.Arbitrary<[AatTools, AatTools]> = fc.tuple(tools, tools).chain(([a, b]) =>
  fc.tuple(
    fc.constant(a),
    // Half of the time nearly the parent: otherwise hardly any pair would be narrower.
    fc.oneof(
      fc.constant(b),
      fc.constant(a),
      fc.constant(Object.fromEntries(Object.entries(a).slice(0, 1))),
      mixed(a, b),
    ),
  ),
);
function mixed(a: AatTools, b: AatTools): fc.Arbitrary<AatTools> {
  const names = Object.keys(a).filter((name) => Object.hasOwn(b, name));
  return fc.constant(
    Object.fromEntries(
      names.map((name) => [
        name,
        Object.fromEntries([...Object.entries(a[name]!), ...Object.entries(b[name]!)]),
      ]),
    ),
  );
}
export const calls: readonly (readonly [string, { [argument: string]: Json }])[] = fc.sample(
  fc.tuple(
    fc.constantFrom("t", "u", "__proto__"),
    fc.dictionary(fc.constantFrom("p", "q", "r", "*", "__proto__"), value, { maxKeys: 3 }),
  ),
  { numRuns: 200, seed: 11 },
);

/** Asks for what the parent names, each time with a constraint that has to do with the parent's. */
function near(parent: AatTools): fc.Arbitrary<AatTools> {
  const wanted = Object.entries(parent).map(([tool, map]) => {
    const entries = Object.entries(map).map(([name, { optional, ...bare }]) =>
      name === "*"
        ? fc.constant([name, bare] as const)
        : fc.tuple(related(bare as Known), fc.boolean()).map(([asked, turn]) => {
            const may = turn ? optional !== true : optional;
            return [name, { ...asked, ...(may !== undefined && { optional: may }) } as Constraint] as const;
          }),
    );
    const others = fc.subarray([["r", bare("a")] as const, ["*", ANY] as const]);
    return fc.tuple(fc.constant(tool), fc.tuple(...entries), others);
  });
  return fc
    .tuple(...wanted)
    .map((asked) =>
      Object.fromEntries(
        asked.map(([tool, entries, others]) => [tool, Object.fromEntries([...entries, ...others])]),
      ),
    );
}
const ANY: Constraint = { constraint_type: "wildcard" };
function bare(value: string): Constraint {
  return { constraint_type: "exact", value, optional: true };
}

/** A parent, and what overlaps with it, is within it, or is the same. */
export const overlapping: fc.Arbitrary<[AatTools, AatTools]> = fc.oneof(
  toolPair,
  tools.chain((parent) => fc.tuple(fc.constant(parent), near(parent))),
);

export function permits(granted: AatTools, tool: string, args: object): boolean {
  return checkArguments(granted, tool, args as Arguments) === undefined;
}
