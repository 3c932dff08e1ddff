import fc from "fast-check";
import { expect, test } from "vitest";
import { ruleCharges, ruleUnspent } from "./charges.ts";
import type { Charge } from "./types.ts";

/** Hundredths as a decimal, in one of its spellings. */
const spelt = (cents: number, zeros: number): string =>
  `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}${"0".repeat(zeros)}`;

test("whatever is charged and given back, a counter holds what stands, to the last digit, and no more than it may", () => {
  const cents = fc.integer({ min: 0, max: 300 });
  const step = fc.record({
    adds: fc.array(fc.record({ counter: fc.constantFrom("a", "b"), cents, zeros: fc.nat(3) }), {
      maxLength: 3,
    }),
    back: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 1_000 }), (steps, most) => {
      const store = new Map<string, string>();
      const model: { [counter: string]: number } = { a: 0, b: 0 };
      for (const { adds, back } of steps) {
        const charges: Charge[] = adds.map(({ counter, cents, zeros }) => ({
          counter,
          add: spelt(cents, zeros),
          most: spelt(most, 0),
          until: 1,
        }));
        const after = { ...model };
        const spent = adds.findIndex(({ counter, cents }) => (after[counter]! += cents) > most);
        const ruled = ruleCharges(charges, [], (counter) => store.get(counter), 0);
        expect("spent" in ruled ? ruled.spent : -1).toBe(spent);
        if ("spent" in ruled) continue;
        for (const [counter, held] of ruled.held) store.set(counter, held);
        Object.assign(model, after);
        // What one request charged to a counter twice is nothing an enforcement point sends, or takes back.
        if (!back || new Set(adds.map(({ counter }) => counter)).size < adds.length) continue;
        const charged = [...ruled.held.keys()];
        for (const [counter, held] of ruleUnspent(charges, charged, (name) => store.get(name)))
          store.set(counter, held);
        for (const { counter, cents } of adds) model[counter]! -= cents;
      }
      for (const [counter, held] of store) expect(Number(held)).toBe(model[counter]! / 100);
    }),
  );
});

test.each(["", "-5", "1e3", "NaN", "5 ", "0x10", "١"])(
  "a counter that holds %j is not read as any number",
  (held) => {
    const charge: Charge = { counter: "c", add: "1", most: "10", until: 1 };
    expect(() => ruleCharges([charge], [], () => held, 0)).toThrow(RangeError);
    expect(() => ruleUnspent([charge], ["c"], () => held)).toThrow(RangeError);
  },
);
