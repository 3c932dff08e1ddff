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

test("what is sealed lies in memory of its own, which is all that the writer's thread is sent", () => {
  for (const text of ["", "short", "long".repeat(10_000)]) {
    const sealed = vault.seal("action-1", "result", text);
    expect(sealed.buffer.byteLength).toBe(sealed.byteLength);
  }
});

test("no two pieces are sealed under one nonce, also when more random bytes must be drawn", () => {
  const nonces = Array.from({ length: 1000 }, () => vault.seal("s", "f", "x").subarray(0, 12));
  expect(new Set(nonces.map((nonce) => Buffer.from(nonce).toString("hex"))).size).toBe(1000);
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
