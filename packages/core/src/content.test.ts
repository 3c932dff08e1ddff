import { randomBytes } from "node:crypto";
import { opens } from "@behest/provenance";
import fc from "fast-check";
import { expect, test } from "vitest";
import { vaultOf } from "./content.ts";

const vault = vaultOf("p", randomBytes(32));
const other = vaultOf("p", randomBytes(32));

test("content comes back whole, and from nowhere but its own place under its own key", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (subject, field, text) => {
      const whole = text.toWellFormed();
      const sealed = vault.seal(subject, field, whole);
      expect(vault.open(subject, field, sealed)).toBe(whole);
      expect(() => vault.open(`${subject}x`, field, sealed)).toThrow();
      expect(() => vault.open(subject, `${field}x`, sealed)).toThrow();
      expect(() => other.open(subject, field, sealed)).toThrow();
      const altered = Uint8Array.from(sealed);
      altered[altered.length - 1]! ^= 1;
      expect(() => vault.open(subject, field, altered)).toThrow();
    }),
  );
});

test("a commitment opens with its salt and cannot be confirmed without it", () => {
  const commitment = vault.commit("action-1", "args", "yes");
  expect(opens(commitment, vault.salt("action-1", "args"), "yes")).toBe(true);
  expect(opens(commitment, vault.salt("action-1", "args"), "no")).toBe(false);
  expect(opens(commitment, vault.salt("action-1", "result"), "yes")).toBe(false);
  expect(other.commit("action-1", "args", "yes")).not.toBe(commitment);
  expect(vault.commit("action-2", "args", "yes")).not.toBe(commitment);
});

test("names tell lists of parts apart, however they are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (a, b) => {
      if (JSON.stringify(a) !== JSON.stringify(b)) expect(vault.name(...a)).not.toBe(vault.name(...b));
    }),
  );
  expect(vault.name("a", "bc")).not.toBe(vault.name("ab", "c"));
  expect(other.name("a")).not.toBe(vault.name("a"));
});
