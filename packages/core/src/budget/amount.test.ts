import { expect, test } from "vitest";
import { restrictedBehest } from "../../test/restricted.ts";
import { callTool } from "../adapter.ts";
import { readAmount } from "./amount.ts";
import { withProfile } from "../profile/profile.ts";

test.each([
  ["12.50", "12.50"],
  ["0", "0"],
  [12.5, "12.5"],
  [0.1 + 0.2, "0.30000000000000004"],
  [-0, "0"],
  [9007199254740991, "9007199254740991"],
])("%j is an amount", (value, text) => {
  expect(readAmount({ value, currency: "EUR" })).toEqual({ value: text, currency: "EUR" });
});

const throwing = Object.defineProperty({ currency: "EUR" }, "value", {
  get() {
    throw new Error("x");
  },
});

test.each<[string, unknown]>([
  ["not a number", { value: Number.NaN, currency: "EUR" }],
  ["beyond any number", { value: Number("1e400"), currency: "EUR" }],
  ["too large to print", { value: 1e21, currency: "EUR" }],
  ["too small to print", { value: 1e-7, currency: "EUR" }],
  ["below zero", { value: "-5", currency: "EUR" }],
  ["a number below zero", { value: -0.01, currency: "EUR" }],
  ["an exponent", { value: "1e3", currency: "EUR" }],
  ["a hexadecimal", { value: "0x10", currency: "EUR" }],
  ["with a comma", { value: "1,50", currency: "EUR" }],
  ["empty", { value: "", currency: "EUR" }],
  ["of 39 digits", { value: "9".repeat(39), currency: "EUR" }],
  ["a bigint", { value: 5n, currency: "EUR" }],
  ["an object that looks like one", { value: { toString: () => "1" }, currency: "EUR" }],
  ["a list", { value: ["1"], currency: "EUR" }],
  ["of no currency", { value: "1" }],
  ["of a currency in small letters", { value: "1", currency: "eur" }],
  ["of a currency with more behind it", { value: "1", currency: "EUR\n" }],
  ["of a list of currencies", { value: "1", currency: ["EUR"] }],
  ["nothing", undefined],
  ["null", null],
  ["a promise", Promise.resolve({ value: "1", currency: "EUR" })],
  ["throwing when it is read", throwing],
])("an amount that is %s is refused, limits or not", async (_, answer) => {
  await using behest = await restrictedBehest({ pay: {} });
  const profile = { effect: "reversible", boundary: "inside", amount: () => answer as never } as const;
  const definition = withProfile({}, profile);
  for (const claims of [{ limits: { amount: { EUR: "1000" } } }, {}]) {
    const session = await behest.opened(claims);
    const never = async (): Promise<never> => expect.unreachable("a tool body ran");
    await expect(callTool(session, { tool: "pay", args: {}, definition }, never)).rejects.toMatchObject({
      code: "profile_invalid",
    });
  }
});

test("an answer is read once: it cannot be one amount when it is checked and another when it is counted", async () => {
  await using behest = await restrictedBehest({ pay: {} });
  let reads = 0;
  const amount = () => ({
    get value() {
      return reads++ === 0 ? "3" : "0";
    },
    currency: "EUR",
  });
  const definition = withProfile({}, { effect: "reversible", boundary: "inside", amount });
  const session = await behest.opened({ limits: { amount: { EUR: "5" } } });
  const call = { tool: "pay", args: {}, definition };
  await callTool(session, call, async () => "ran");
  expect(reads).toBe(1);
  reads = 0;
  await expect(callTool(session, call, async () => "ran")).rejects.toMatchObject({ code: "budget_spent" });
});
