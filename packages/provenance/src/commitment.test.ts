import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { salt } from "../test/deployment.ts";
import { type ProvenanceError, commit, opens } from "./index.ts";

test("a commitment is the hash of the salt's length, the salt and the text", () => {
  const s = salt();
  const expected = createHash("sha256")
    .update(Buffer.from([s.length]))
    .update(s, "ascii")
    .update("größe")
    .digest("base64url");
  expect(commit(s, "größe")).toBe(expected);
});

test("it opens to its text under its salt, and to nothing else", () => {
  const salts = fc.stringMatching(/^[A-Za-z0-9_-]{22,127}$/);
  const text = fc.string({ unit: "grapheme" });
  fc.assert(
    fc.property(salts, text, salts, text, (s, t, otherSalt, otherText) => {
      const same = s === otherSalt && t === otherText;
      expect(opens(commit(s, t), s, t)).toBe(true);
      expect(opens(commit(s, t), otherSalt, otherText)).toBe(same);
    }),
  );
});

test("the end of a salt cannot be passed off as the beginning of the text", () => {
  const long = "a".repeat(26);
  expect(opens(commit(long, "b"), long.slice(0, 22), "aaaab")).toBe(false);
});

test("salts that can be searched or misread, and texts that two inputs share, are refused", () => {
  const refused = (code: string) => expect.objectContaining({ code }) as ProvenanceError;
  for (const bad of ["a".repeat(21), "a".repeat(128), `${"a".repeat(42)}é`, `${"a".repeat(42)}\n`])
    expect(() => commit(bad, "x")).toThrow(refused("malformed_salt"));
  expect(() => commit(salt(), "\ud800")).toThrow(refused("malformed_content"));
});
