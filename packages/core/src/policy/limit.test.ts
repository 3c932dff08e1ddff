import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type PolicyLimit, printLimit, readLimits } from "./limit.ts";

const rule = "a.cedar#a";
const print = (limits: readonly PolicyLimit[]): string => limits.map(printLimit).join("; ");

test.for<[written: string, limits: readonly Omit<PolicyLimit, "rule">[]]>([
  ["20 calls, 500 EUR per subtree", [{ per: "subtree", calls: 20, amount: { EUR: "500" } }]],
  ["1 call", [{ per: "subtree", calls: 1 }]],
  ["50.00 EUR, 60 USD per action", [{ per: "action", amount: { EUR: "50.00", USD: "60" } }]],
  [
    " 2  calls\tper lifetime ;0 EUR per subtree",
    [
      { per: "lifetime", calls: 2 },
      { per: "subtree", amount: { EUR: "0" } },
    ],
  ],
])("%j is read", ([written, limits]) => {
  expect(readLimits(rule, written)).toEqual(limits.map((limit) => ({ rule, ...limit })));
});

test.for<[written: string, reason: RegExp]>([
  ["", /"" is neither/],
  ["20", /"20" is neither/],
  ["20 call", /neither/],
  ["0 calls", /neither/],
  ["-1 calls", /neither/],
  ["1.5 calls", /neither/],
  ["01 calls", /neither/],
  [`${"9".repeat(16)} calls`, /neither/],
  ["calls", /neither/],
  ["EUR 500", /neither/],
  ["500 eur", /neither/],
  ["-5 EUR", /neither/],
  ["1e3 EUR", /neither/],
  ["1,000 EUR", /"1" is neither/],
  ["５ EUR", /neither/],
  ["5 EUR and 2 calls", /neither/],
  ["5 EUR per", /"5 EUR per" is neither/],
  ["per subtree", /neither/],
  ["5 EUR,", /"" is neither/],
  ["5 EUR per action;", /"" is neither/],
  ["5 EUR per year", /"5 EUR per year" is not per action, lifetime or subtree/],
  ["5 EUR per Action", /is not per/],
  ["5 EUR per action per lifetime", /is not per/],
  ["5 EUR per toString", /is not per/],
  ["2 calls per action", /one action is one call/],
  ["2 calls, 3 calls", /"3 calls" limits what is limited already/],
  ["5 EUR, 6 EUR", /"6 EUR" limits/],
  ["5 EUR; 2 calls per subtree", /per subtree twice/],
])("%j is refused, with a reason", ([written, reason]) => {
  expect(readLimits(rule, written)).toEqual({ reason: expect.stringMatching(reason) as string });
});

test("what is printed reads back as what it was", () => {
  const amount = fc.dictionary(
    fc.stringMatching(/^[A-Z][A-Z0-9]{2,9}$/),
    fc.tuple(fc.nat(), fc.nat(99)).map(([whole, part]) => `${whole}.${part}`),
    { minKeys: 1, maxKeys: 4 },
  );
  const calls = fc.integer({ min: 1, max: 10 ** 15 - 1 });
  const taken = fc.record({ calls, amount }, { requiredKeys: ["amount"] });
  const limit = (per: PolicyLimit["per"]): fc.Arbitrary<PolicyLimit> =>
    (per === "action" ? fc.record({ amount }) : taken).map((most) => ({ rule, per, ...most }));
  const limits = fc.tuple(limit("subtree"), limit("action"), limit("lifetime"));
  fc.assert(
    fc.property(limits, (all) => {
      expect(readLimits(rule, print(all))).toEqual(all);
    }),
  );
});
