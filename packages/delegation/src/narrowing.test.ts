import { type Json, fromBase64url, signCompact } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { check } from "./check.ts";
import type { Known } from "./constraint.ts";
import {
  type AatTools,
  type Arguments,
  type Constraint,
  DelegationError,
  type Delegation,
  checkArguments,
  compareGrants,
  deriveDelegation,
  generateHolder,
  issueDelegation,
  verifyDelegation,
} from "./index.ts";
import { rewrap } from "./narrow.ts";
import { subsumes } from "./subsume.ts";

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

const { constraint } = fc.letrec<{ constraint: Known; leaf: Known }>((tie) => ({
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
    ),
  ),
  constraint: fc.oneof(
    { maxDepth: 3 },
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
const pair = constraint.chain((parent) => fc.tuple(fc.constant(parent), related(parent)));
const EVERYTHING = fc.sample(value, { numRuns: 300, seed: 7 });

test("what the table accepts admits no value that the parent refuses", () => {
  fc.assert(
    fc.property(pair, ([parent, child]) => {
      const admitted = subsumes(parent, child) ? EVERYTHING.filter((each) => check(child, each)) : [];
      expect(admitted.filter((each) => !check(parent, each))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test("re-wrapping yields what the table accepts, and admits exactly the values asked for", () => {
  let rewrapped = 0;
  fc.assert(
    fc.property(pair, ([parent, wanted]) => {
      const form = rewrap(parent, wanted);
      if (!form) return;
      expect(subsumes(parent, form)).toBe(true);
      if (form !== wanted) rewrapped++;
      for (const each of EVERYTHING) expect(check(form, each)).toBe(check(wanted, each));
    }),
    { numRuns: 6000 },
  );
  expect(rewrapped).toBeGreaterThan(100);
});

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
const tools: fc.Arbitrary<AatTools> = fc.dictionary(fc.constantFrom("t", "u", "__proto__"), openMap, {
  maxKeys: 2,
});
const toolPair = fc.tuple(tools, tools).chain(([a, b]) =>
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
const calls = fc.sample(
  fc.tuple(
    fc.constantFrom("t", "u", "__proto__"),
    fc.dictionary(fc.constantFrom("p", "q", "r", "*", "__proto__"), value, { maxKeys: 3 }),
  ),
  { numRuns: 200, seed: 11 },
);

test("calls that a narrower grant permits, its parent permits", () => {
  fc.assert(
    fc.property(toolPair, ([parent, child]) => {
      const narrower = compareGrants(parent, child).length === 0;
      const permitted = calls.filter(([tool, args]) => narrower && permits(child, tool, args));
      expect(permitted.filter(([tool, args]) => !permits(parent, tool, args))).toEqual([]);
    }),
    { numRuns: 1500 },
  );
});

test("deriving, comparing and verifying agree on every pair, and a derived leaf permits what was asked for", async () => {
  const [issuer, holder] = [await generateHolder(), await generateHolder()];
  const issuers = [{ iss: "https://issuer.test", jwk: issuer.jwk }];
  const counts = { derived: 0, refused: 0 };
  const asWritten = async (root: Delegation, child: AatTools): Promise<Delegation> => {
    // A holder who signs whatever it likes.
    const honest = await deriveDelegation(root, { holder: holder.jwk, tools: {} }, holder);
    const payload = new TextDecoder().decode(fromBase64url(honest.chain[1]!.split(".")[1]!));
    const claims = JSON.parse(payload) as { [name: string]: Json };
    claims["authorization_details"] = [{ type: "attenuating_agent_token", tools: child as Json }];
    return { chain: [root.chain[0]!, await signCompact({ typ: "aat+jwt" }, claims, holder)] };
  };
  await fc.assert(
    fc.asyncProperty(toolPair, async ([parent, child]) => {
      const claims = {
        issuer: "https://issuer.test",
        holder: holder.jwk,
        principal: "p",
        task: "t",
        tools: parent,
        expiresIn: "1h",
      } as const;
      const root = await issueDelegation(claims, issuer);
      const compared = compareGrants(parent, child).length === 0 ? "narrower" : "wider_than_parent";
      const literal = await attempt(verifyDelegation(await asWritten(root, child), { issuers }));
      expect(typeof literal === "string" ? literal : "narrower").toBe(compared);

      const derived = await attempt(deriveDelegation(root, { holder: holder.jwk, tools: child }, holder));
      if (typeof derived === "string") counts.refused++;
      else counts.derived++;
      // What deriving refuses, verifying refuses too.
      expect(typeof derived === "string" ? derived : compared).toBe(compared);
      const written =
        typeof derived === "string" ? undefined : (await verifyDelegation(derived, { issuers })).tools;
      const differing = calls.filter(
        ([tool, args]) => written && permits(written, tool, args) !== permits(child, tool, args),
      );
      expect(differing).toEqual([]);
    }),
    { numRuns: 300 },
  );
  expect(Math.min(counts.derived, counts.refused)).toBeGreaterThan(30);
});

function permits(granted: AatTools, tool: string, args: object): boolean {
  return checkArguments(granted, tool, args as Arguments) === undefined;
}

/** The result, or the code of the refusal. */
async function attempt<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    return DelegationError.isInstance(error) ? error.code : String(error);
  }
}
