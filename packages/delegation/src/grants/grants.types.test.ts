import { tool as aiTool } from "ai";
import { tool as lcTool } from "langchain";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type ArgsOf, type Grants, type Rule, grants, is } from "../index.ts";
import type { Amount } from "./rule.ts";

// Read by the compiler; running it only shows that what compiles is also accepted.
const transfer = z.object({
  amount: z.number(),
  currency: z.enum(["EUR", "USD"]),
  labels: z.array(z.enum(["rent", "food"])),
  note: z.string().optional(),
});
const describe = { description: "d" };
const lc = [
  lcTool(async ({ amount }) => `${amount}`, { name: "transfer", ...describe, schema: transfer }),
  lcTool(async ({ folder }) => folder, {
    name: "list",
    ...describe,
    schema: z.object({ folder: z.string() }),
  }),
];
const ai = {
  transfer: aiTool({ inputSchema: transfer, execute: async ({ amount }) => amount }),
  list: aiTool({ inputSchema: z.object({ folder: z.string() }), execute: async ({ folder }) => folder }),
  ask: aiTool({ inputSchema: z.object({ question: z.string() }), outputSchema: z.string() }),
};
const full = { amount: is.atMost(5), currency: "EUR", labels: is.any } as const;

test("what fits the tools compiles", () => {
  const all = (): void => {
    grants(lc, { transfer: { ...full, labels: is.subset("rent") }, list: { folder: is.under("/a") } });
    grants(ai, {
      transfer: { ...full, note: ["a", "b"] },
      list: true,
      ask: { question: is.prefix("May I") },
    });
    grants(ai, {
      transfer: {
        amount: is.all(is.between(1, 9), is.not(7)),
        currency: ["EUR", "USD"],
        labels: is.contains("food"),
      },
    });
    grants(ai, { transfer: { amount: 1, "*": is.any } });
    grants(ai, { transfer: { ...full, amount: is.decimal({ max: "9.99" }) } });
    grants(ai, { list: { folder: is.decimal({}) } });
    grants(ai, { list: { folder: is.either(is.decimal({}), is.oneOf("all")) } });
    grants(ai, { transfer: { ...full, amount: is.all(is.decimal({}), is.atMost(9)) } });
    grants({ untyped: {} } as Record<string, object>, { untyped: { x: is.decimal({}) } });
    grants(ai, { list: { folder: is.either(is.url("https://*.a.test"), is.email("@a.test")) } });
    grants(ai, { list: { folder: is.either(is.under("/a"), is.oneOf("b")) } });
    grants({ untyped: {} } as Record<string, object>, { untyped: { x: 1, y: is.any, z: ["a", null, true] } });
    grants(lc, {});
  };
  expect(all).not.toThrow();
});

test("what does not fit the tools does not compile", () => {
  const never = (): void => {
    // @ts-expect-error no such tool
    grants(lc, { remove: true });
    // @ts-expect-error no such tool
    grants(ai, { remove: true });
    // @ts-expect-error no such argument
    grants(lc, { transfer: { ...full, purpose: "x" } });
    // @ts-expect-error a required argument is left out: every call would be refused
    grants(lc, { transfer: { amount: 1, currency: "EUR" } });
    // @ts-expect-error another currency
    grants(ai, { transfer: { ...full, currency: "GBP" } });
    // @ts-expect-error another currency in a list
    grants(ai, { transfer: { ...full, currency: ["EUR", "GBP"] } });
    // @ts-expect-error another currency in a rule
    grants(ai, { transfer: { ...full, currency: is.oneOf("GBP") } });
    // @ts-expect-error a text rule on a number
    grants(ai, { transfer: { ...full, amount: is.prefix("1") } });
    // @ts-expect-error the same among others
    grants(ai, { transfer: { ...full, amount: is.either(is.prefix("1"), is.atMost(5)) } });
    // @ts-expect-error an amount where one of a few words belongs
    grants(ai, { transfer: { ...full, currency: is.decimal({}) } });
    // @ts-expect-error an amount where a list belongs
    grants(ai, { transfer: { ...full, labels: is.decimal({}) } });
    // @ts-expect-error bounds are text: a number would lose digits
    grants(ai, { transfer: { ...full, amount: is.decimal({ max: 5 }) } });
    // @ts-expect-error a number rule on a text
    grants(lc, { list: { folder: is.atMost(1) } });
    // @ts-expect-error a text where a number belongs
    grants(lc, { transfer: { ...full, amount: "5" } });
    // @ts-expect-error a list of literals for a list: each, or all of it?
    grants(lc, { transfer: { ...full, labels: ["rent"] } });
    // @ts-expect-error an element the list never has
    grants(lc, { transfer: { ...full, labels: is.subset("car") } });
    // @ts-expect-error a tool without a body is typed by its schema
    grants(ai, { ask: { question: 1 } });
    // @ts-expect-error only "any" opens the rest
    grants(ai, { transfer: { amount: 1, "*": is.oneOf("x") } });
    // @ts-expect-error false is not a grant
    grants(ai, { list: false });
  };
  expectTypeOf(never).returns.toBeVoid();
});

test("the argument types are those of the parsed arguments, never any", () => {
  type Transfer = {
    amount: number;
    currency: "EUR" | "USD";
    labels: ("rent" | "food")[];
    note?: string | undefined;
  };
  expectTypeOf<ArgsOf<(typeof ai)["transfer"]>>().toEqualTypeOf<Transfer>();
  expectTypeOf<ArgsOf<(typeof lc)[0]>>().not.toBeAny();
  expectTypeOf<ArgsOf<(typeof ai)["ask"]>>().toEqualTypeOf<{ question: string }>();
  expectTypeOf<ArgsOf<object>>().toEqualTypeOf<Record<string, unknown>>();
  expectTypeOf<keyof Grants<typeof lc>>().toEqualTypeOf<"transfer" | "list">();
  expectTypeOf<keyof Grants<typeof ai>>().toEqualTypeOf<"transfer" | "list" | "ask">();
  expectTypeOf(is.oneOf("a", "b")).toEqualTypeOf<Rule<"a" | "b">>();
  expectTypeOf(is.decimal({})).toEqualTypeOf<Rule<Amount>>();
  expectTypeOf(is.either(is.oneOf("a"), is.atMost(1))).toEqualTypeOf<Rule<"a" | number>>();
  expectTypeOf(is.any).toEqualTypeOf<Rule<never>>();
});
