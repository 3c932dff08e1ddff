import { tool as aiTool } from "ai";
import { tool } from "langchain";
import { z } from "zod";
import { expect, test } from "vitest";
import { classify, profileOf, withProfile } from "./profile.ts";

const schema = z.object({ iban: z.string(), amount: z.number(), note: z.string().optional() });

test("a profile is typed by the tool's own arguments and leaves the tool as it is", () => {
  const plain = tool(async ({ amount }) => `paid ${amount}`, { name: "pay", description: "Pays", schema });
  const pay = withProfile(plain, {
    effect: "irreversible",
    boundary: ({ iban }) => (iban.startsWith("DE00OWN") ? "inside" : "outside"),
    control: ["iban", "amount"],
    resource: ({ iban }) => `iban:${iban}`,
    amount: ({ amount }) => ({ value: amount, currency: "EUR" }),
  });
  expect(pay).toBe(plain);
  const name: "pay" = pay.name;
  expect(name).toBe("pay");
  const profile = profileOf(pay, undefined);
  expect(classify(profile, { iban: "DE00OWN1", amount: 1 })).toMatchObject({
    effect: "irreversible",
    boundary: "inside",
    declared: true,
  });
  expect(classify(profile, { iban: "GB1", amount: 1 }).boundary).toBe("outside");

  const payAi = aiTool({
    description: "Pays",
    inputSchema: schema,
    execute: async ({ amount }) => ({ paid: amount }),
  });
  // @ts-expect-error a control argument that the tool does not have
  withProfile(payAi, { effect: "read", boundary: "inside", control: ["ibn"] });
  // @ts-expect-error an effect that there is not
  withProfile(payAi, { effect: "harmless", boundary: "inside" });
});

test("an undeclared tool, and a copy of a declared one, count as irreversible and outside", () => {
  const declared = withProfile({ func: (_: object) => 1 }, { effect: "read", boundary: "inside" });
  for (const unknown of [{ ...declared }, {}, undefined])
    expect(classify(profileOf(unknown, undefined), {})).toEqual({
      effect: "irreversible",
      boundary: "outside",
      declared: false,
    });
});

test("a profile function that throws or answers anything else gives no class", () => {
  for (const effect of [
    () => "harmless",
    () => undefined,
    () => Promise.resolve("read"),
    () => {
      throw new Error("x");
    },
  ])
    expect(classify({ effect: effect as never, boundary: "inside" }, {}).invalid).toBe(true);
});
