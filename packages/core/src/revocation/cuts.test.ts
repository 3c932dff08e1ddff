import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Cuts } from "./cuts.ts";

const key = (n: number): Uint32Array => new Uint32Array([n * 0x9e3779b1, n, n ^ 0xffff, ~n]);
const keys = (numbers: readonly number[], dated: number): { words: Uint32Array; dated: number } => {
  const words = new Uint32Array(numbers.length * 4);
  for (const [i, n] of numbers.entries()) words.set(key(n), i * 4);
  return { words, dated };
};

interface Model {
  before: number;
  until: number;
}

test("what is found is what was added, however many there are, and what is over is forgotten only then", () => {
  const cut = fc.record({
    n: fc.nat(3000),
    before: fc.option(fc.nat(1000), { nil: undefined }),
    until: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 600 }), fc.nat(1000), fc.nat(3000), (added, issued, asked) => {
      const cuts = new Cuts();
      const model = new Map<number, Model>();
      for (const { n, before = 0xffff_ffff, until = 0xffff_ffff } of added) {
        cuts.add(key(n), { before, until }, 0);
        const held = model.get(n) ?? { before: 0, until: 0 };
        model.set(n, { before: Math.max(held.before, before), until: Math.max(held.until, until) });
      }
      expect(cuts.size).toBe(model.size);
      for (const n of [asked, ...added.map((one) => one.n)]) {
        const held = model.get(n);
        expect(cuts.concerns(keys([n], 1), issued)).toBe(held !== undefined && issued <= held.before);
        expect(cuts.concerns(keys([n], 0), issued)).toBe(held !== undefined);
        expect(cuts.concerns(keys([4001, n], 1), issued)).toBe(held !== undefined);
      }
    }),
    { numRuns: 200 },
  );
});

test("what can concern nobody any more makes room for what comes", () => {
  const cuts = new Cuts();
  for (let n = 0; n < 1000; n++) cuts.add(key(n), { until: 10 }, 0);
  const { bytes } = cuts;
  for (let n = 1000; n < 2000; n++) cuts.add(key(n), {}, 10);
  expect(cuts.bytes).toBe(bytes);
  expect(cuts.size).toBe(1000);
  expect(cuts.concerns(keys([1500], 0), 0)).toBe(true);
});

test("a million take less than 40 MB, and each is found", () => {
  const cuts = new Cuts();
  for (let n = 0; n < 1_000_000; n++) cuts.add(key(n), {}, 0);
  expect(cuts.bytes).toBeLessThan(40_000_000);
  for (let n = 0; n < 1_000_000; n += 997) expect(cuts.concerns(keys([n], 0), 0)).toBe(true);
  expect(cuts.concerns(keys([1_000_001, 1_000_002], 0), 0)).toBe(false);
});
