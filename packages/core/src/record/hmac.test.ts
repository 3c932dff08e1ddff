import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hmac } from "./hmac.ts";

const node = (key: Uint8Array, text: string): string =>
  createHmac("sha256", key).update(text).digest("base64url");

test("it is HMAC-SHA-256, whatever was hashed before", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.array(fc.string({ unit: "binary", maxLength: 600 }), { minLength: 1, maxLength: 5 }),
      (key, texts) => {
        const mac = hmac(key);
        for (const text of texts) expect(mac(text)).toBe(node(key, text));
      },
    ),
  );
});

test("texts beside the edge of its buffer, and long ones, are hashed whole", () => {
  const key = new Uint8Array(32).fill(7);
  const mac = hmac(key);
  for (const length of [0, 399, 400, 401, 1200, 1201, 100_000])
    for (const letter of ["a", "ü", "€", "\u{1f600}"])
      expect(mac(letter.repeat(length))).toBe(node(key, letter.repeat(length)));
});

test("more texts than it remembers are told apart, and asked for again", () => {
  const key = new Uint8Array(32).fill(9);
  const mac = hmac(key);
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 200; i++) expect(mac(`text ${i}`)).toBe(node(key, `text ${i}`));
});

test("a key that would have to be hashed first is refused", () => {
  expect(() => hmac(new Uint8Array(65))).toThrow(RangeError);
});
