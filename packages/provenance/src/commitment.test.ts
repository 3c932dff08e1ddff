import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { salt } from "../test/deployment.ts";
import { type ProvenanceError, commit, opens } from "./index.ts";

test("a commitment is the hash of the salt's length, the salt and the text", () => {
  const s = salt();
  const expected = createHash("sha256")
    .update(Buffer.from([32]))
    .update(s)
    .update("größe")
    .digest("base64url");
  expect(commit(s, "größe")).toBe(expected);
});

test("it opens to its text under its salt, and to nothing else", () => {
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 255 });
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(bytes, text, bytes, text, (s, t, otherSalt, otherText) => {
      const same = Buffer.from(s).equals(otherSalt) && t === otherText;
      expect(opens(commit(s, t), s, t)).toBe(true);
      expect(opens(commit(s, t), otherSalt, otherText)).toBe(same);
    }),
  );
});

test("the end of a salt cannot be passed off as the beginning of the text", () => {
  const long = new Uint8Array(20).fill(0x61);
  expect(opens(commit(long, "b"), long.subarray(0, 16), "aaaab")).toBe(false);
});

test("salts that can be searched, and texts that two inputs share, are refused", () => {
  const refused = (code: string) => expect.objectContaining({ code }) as ProvenanceError;
  expect(() => commit(new Uint8Array(15), "x")).toThrow(refused("salt_too_short"));
  expect(() => commit(new Uint8Array(256), "x")).toThrow(refused("salt_too_short"));
  expect(() => commit(salt(), "\ud800")).toThrow(refused("malformed_content"));
});
