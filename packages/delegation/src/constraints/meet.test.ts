import * as fc from "fast-check";
import { expect, test } from "vitest";
import { EVERYTHING, constraint, leaf, pair } from "../../test/random.ts";
import { apart } from "./apart.ts";
import { check } from "./check.ts";
import type { Known } from "./constraint.ts";
import { newEffort } from "./effort.ts";
import { meet } from "./meet.ts";
import { rewrap } from "./narrow.ts";
import { subsumes } from "./subsume.ts";

const any = (...constraints: Known[]): Known => ({ constraint_type: "any", constraints });
const all = (...constraints: Known[]): Known => ({ constraint_type: "all", constraints });
const range = (min: number, max: number): Known => ({ constraint_type: "range", min, max });
const exact = (value: string | number): Known => ({ constraint_type: "exact", value });
const oneOf = (...values: (string | number)[]): Known => ({ constraint_type: "one_of", values });
const not = (...excluded: (string | number)[]): Known => ({ constraint_type: "not_one_of", excluded });
const prefix = (text: string): Known => ({ constraint_type: "prefix", prefix: text });
const path = (under: string): Known => ({ constraint_type: "path", under });
const url = (base: string): Known => ({ constraint_type: "url", base });
const decimal = (min: string, max: string): Known => ({ constraint_type: "decimal", min, max });
const domain = (text: string): Known => ({ constraint_type: "email", domain: text });

test.each<[Known, Known, Known | undefined]>([
  [range(0, 10), range(5, 20), range(5, 10)],
  [range(0, 10), { constraint_type: "range" }, range(0, 10)],
  [range(0, 10), range(11, 20), undefined],
  [{ ...range(0, 5), max_inclusive: false } as Known, range(5, 20), undefined],
  [range(0, 10), oneOf(5, 20), exact(5)],
  [range(0, 10), oneOf(5, 6, 20), undefined],
  [range(0, 10), not(11), range(0, 10)],
  [range(0, 10), not(5), undefined],
  [range(0, 10), all(range(5, 20), not(11)), range(5, 10)],
  [range(0, 10), any(range(-5, 3), range(-5, 7)), range(0, 7)],
  [range(0, 10), any(range(-5, 3), range(8, 12)), range(0, 3)],
  [oneOf(1, 2, 3), oneOf(3, 4, 2), oneOf(2, 3)],
  [oneOf(1, 2, 3), range(2, 9), oneOf(2, 3)],
  [oneOf(1, 2, 3), not(2), oneOf(1, 3)],
  [oneOf("/d/a", "/e"), path("/d"), oneOf("/d/a")],
  [not("a"), not("b"), not("a", "b")],
  [not("a"), prefix("b"), undefined],
  [
    { constraint_type: "contains", required: [1] },
    { constraint_type: "contains", required: [2] },
    { constraint_type: "contains", required: [1, 2] },
  ],
  [
    { constraint_type: "subset", allowed: [1, 2] },
    { constraint_type: "subset", allowed: [2, 3] },
    { constraint_type: "subset", allowed: [2] },
  ],
  [
    { constraint_type: "subset", allowed: [1] },
    { constraint_type: "subset", allowed: [3] },
    { constraint_type: "subset", allowed: [] },
  ],
  [path("/d/e"), path("/d"), path("/d/e")],
  [path("/d"), path("/e"), undefined],
  [url("https://*.h.test/p"), url("https://a.h.test"), url("https://a.h.test/p")],
  [url("https://h.test"), url("https://*.h.test"), undefined],
  [decimal("0", "10"), decimal("5", "20"), decimal("5", "10")],
  [domain("a.test"), any(domain("a.test"), domain("b.test")), domain("a.test")],
  [any(domain("a.test"), domain("b.test")), any(domain("b.test"), domain("c.test")), any(domain("b.test"))],
  [any(range(0, 3), range(8, 9)), range(2, 8), any(range(2, 3), range(8, 8))],
  [any(not(2), exact(1)), oneOf(1, 3), any(exact(1))],
  [all(not(5)), range(0, 9), all(range(0, 9), not(5))],
  [all(not(5), range(0, 9)), range(3, 20), all(range(3, 20), not(5), range(0, 9))],
  [all(prefix("a")), range(0, 9), undefined],
  [all(any(prefix("a"), exact(3))), any(prefix("b"), exact(4)), undefined],
])("%j and %j have %j in common", (parent, wanted, common) => {
  expect(meet(parent, wanted, newEffort())).toEqual(common);
});

test("what two have in common, the table accepts under the parent, and neither refuses", () => {
  let narrowed = 0;
  fc.assert(
    fc.property(pair, ([parent, wanted]) => {
      const common = meet(parent, wanted, newEffort());
      const form = rewrap(parent, wanted);
      if (form) expect(common).toEqual(form);
      if (!common) return;
      if (!form) narrowed++;
      expect(subsumes(parent, common)).toBe(true);
      const admitted = EVERYTHING.filter((each) => check(common, each));
      expect(admitted.filter((each) => !check(parent, each) || !check(wanted, each))).toEqual([]);
    }),
    { numRuns: 6000 },
  );
  expect(narrowed).toBeGreaterThan(200);
});

test("a constraint has all of itself in common with itself", () => {
  fc.assert(
    fc.property(constraint, (each) => {
      expect(meet(each, each, newEffort())).toEqual(each);
    }),
  );
});

test("nothing is lost that the table can say", () => {
  const EXACT = [
    "range",
    "one_of",
    "not_one_of",
    "contains",
    "subset",
    "prefix",
    "email",
    "path",
    "url",
    "decimal",
  ];
  let compared = 0;
  fc.assert(
    fc.property(fc.oneof(pair, fc.tuple(leaf, leaf)), ([parent, wanted]) => {
      const same =
        parent.constraint_type === wanted.constraint_type && EXACT.includes(parent.constraint_type);
      // Everything can be said under "all", one way or another.
      if (!same && parent.constraint_type !== "all") return;
      const both = EVERYTHING.filter((each) => check(parent, each) && check(wanted, each));
      const common = meet(parent, wanted, newEffort());
      if (both.length > 0) compared++;
      expect(EVERYTHING.filter((each) => common && check(common, each))).toEqual(both);
    }),
    { numRuns: 6000 },
  );
  expect(compared).toBeGreaterThan(200);
});

test("two that are apart admit no value both", () => {
  let found = 0;
  fc.assert(
    fc.property(pair, ([a, b]) => {
      if (!apart(a, b, newEffort())) return;
      found++;
      expect(EVERYTHING.filter((each) => check(a, each) && check(b, each))).toEqual([]);
    }),
    { numRuns: 4000 },
  );
  expect(found).toBeGreaterThan(200);
});
