import { fromBase64url, toBase64url } from "@behest/jws";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Bits, MAX_LIST, deflate, inflate, statusAt } from "./bits.ts";

// draft-ietf-oauth-status-list: the examples of section 4, and the first two vectors of its appendix.
const SHORT: readonly [Bits, string, readonly number[]][] = [
  [1, "eNrbuRgAAhcBXQ", [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]],
  [2, "eNo76fITAAPfAgc", [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]],
];
const LONG: readonly [Bits, string, { readonly [index: number]: number }][] = [
  [
    1,
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb",
    Object.fromEntries(
      [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345].map((at) => [at, 1]),
    ),
  ],
  [
    2,
    "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw",
    {
      0: 1,
      1993: 2,
      25460: 1,
      159495: 3,
      495669: 1,
      554353: 1,
      645645: 2,
      723232: 1,
      854545: 1,
      934534: 2,
      1000345: 3,
    },
  ],
];

test.each(SHORT)("the draft's short list of %i bits says what it says", async (bits, lst, expected) => {
  const list = await inflate(fromBase64url(lst));
  expect(expected.map((_, index) => statusAt(list, bits, index))).toEqual(expected);
  for (const beyond of [expected.length, 1e6, Number.MAX_SAFE_INTEGER])
    expect(statusAt(list, bits, beyond)).toBeUndefined();
});

test.each(LONG)(
  "the draft's list of 2^20 entries of %i bits says what it says",
  async (bits, lst, marked) => {
    const list = await inflate(fromBase64url(lst));
    expect(list.length).toBe((2 ** 20 * bits) / 8);
    const found: { [index: number]: number } = {};
    for (let index = 0; index < 2 ** 20; index++) {
      const value = statusAt(list, bits, index)!;
      if (value !== 0) found[index] = value;
    }
    expect(found).toEqual(marked);
  },
);

test("values of each width come back from where they were put", () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Bits>(1, 2, 4, 8),
      fc.array(fc.nat(255), { maxLength: 40 }),
      (bits, values) => {
        const fitting = values.map((value) => value % 2 ** bits);
        const list = new Uint8Array(Math.ceil((fitting.length * bits) / 8));
        for (const [i, value] of fitting.entries())
          list[Math.floor((i * bits) / 8)]! |= value << ((i * bits) % 8);
        expect(fitting.map((_, i) => statusAt(list, bits, i))).toEqual(fitting);
      },
    ),
  );
});

test("what inflates to more than a list may hold is not held", async () => {
  const largest = new Uint8Array(MAX_LIST).fill(0xa5);
  expect((await inflate(await deflate(largest))).length).toBe(MAX_LIST);
  // 64 MiB in 64 KiB.
  const bomb = await deflate(new Uint8Array(2 ** 26));
  expect(bomb.length).toBeLessThan(70_000);
  await expect(inflate(bomb)).rejects.toThrow(RangeError);
});

test("what is no ZLIB, is cut short or was changed is refused", async () => {
  const packed = await deflate(new Uint8Array(1000));
  const damaged = packed.slice();
  damaged[damaged.length - 1]! ^= 1;
  for (const wrong of [packed.slice(2), packed.slice(0, -1), damaged, new Uint8Array()])
    await expect(inflate(wrong)).rejects.toThrow();
  expect(toBase64url(await inflate(packed))).toBe("A".repeat(Math.ceil((1000 * 4) / 3)));
});
