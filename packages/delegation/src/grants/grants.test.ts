import { jsonSchema, tool as aiTool } from "ai";
import { tool as lcTool } from "langchain";
import { expect, test } from "vitest";
import { z } from "zod";
import { z as z3 } from "zod/v3";
import { type AatTools, DelegationError, checkArguments, grants, is } from "../index.ts";

const mail = z.object({
  to: z.string(),
  subject: z.string(),
  cc: z.string().optional(),
  copies: z.number().default(1),
  sent: z.date().optional(),
});
const lc = [lcTool(async ({ to }) => to, { name: "send_mail", description: "d", schema: mail })] as const;
const ai = {
  send_mail: aiTool({ inputSchema: mail, execute: async ({ to }) => to }),
  ask: aiTool({ inputSchema: z.object({ q: z.string() }), outputSchema: z.string() }),
};
const granted = {
  send_mail: {
    to: { constraint_type: "email", domain: "example.com" },
    subject: { constraint_type: "wildcard" },
    cc: { constraint_type: "one_of", values: ["a@x.test"], optional: true },
    copies: { constraint_type: "exact", value: 1 },
  },
};

test("literals, lists and rules compile; what the parsed arguments may lack becomes optional", () => {
  expect(
    grants(lc, { send_mail: { to: is.email("@Example.COM"), subject: is.any, cc: ["a@x.test"], copies: 1 } }),
  ).toEqual(granted);
  expect(
    grants(ai, { send_mail: { to: is.email("@example.com"), subject: is.any, cc: ["a@x.test"], copies: 1 } }),
  ).toEqual(granted);
});

test("an optional argument that is not named is forbidden, a default is always there", () => {
  const tools = grants(ai, { send_mail: { to: "a", subject: "s", copies: is.any } });
  expect(checkArguments(tools, "send_mail", { to: "a", subject: "s", copies: 1 })).toBeUndefined();
  expect(checkArguments(tools, "send_mail", { to: "a", subject: "s", copies: 1, cc: "x" })).toMatchObject({
    path: "tools.send_mail.cc",
  });
  expect(checkArguments(tools, "send_mail", { to: "a", subject: "s" })).toMatchObject({
    path: "tools.send_mail.copies",
  });
});

test("true opens a tool, a star opens the rest", () => {
  const star = { constraint_type: "wildcard" };
  expect(grants(ai, { ask: true })).toEqual({ ask: { "*": star } });
  expect(grants(ai, { send_mail: { to: "a", "*": is.any } })).toEqual({
    send_mail: { to: { constraint_type: "exact", value: "a" }, "*": star },
  });
});

test("every kind of schema tells which arguments are optional; without one all are required", () => {
  const schema = { type: "object" as const, properties: { a: {}, b: {} }, required: ["a"] };
  const wanted = {
    a: { constraint_type: "exact", value: 1 },
    b: { constraint_type: "exact", value: 2, optional: true },
  };
  const kinds: Record<string, object> = {
    mcp: { schema },
    wrapped: { inputSchema: jsonSchema(schema) },
    lazy: { inputSchema: () => jsonSchema(schema) },
    zod3: { inputSchema: z3.object({ a: z3.number(), b: z3.number().optional() }) },
    zod4: { inputSchema: z.object({ a: z.number(), b: z.number().optional() }) },
  };
  for (const name of Object.keys(kinds))
    expect([name, grants(kinds, { [name]: { a: 1, b: 2 } })]).toEqual([name, { [name]: wanted }]);
  const unknown: Record<string, object> = {
    none: {},
    thrower: {
      inputSchema: {
        "~standard": {
          jsonSchema: {
            output: () => {
              throw new Error("no");
            },
          },
        },
      },
    },
    other: { schema: { type: "string" } },
  };
  for (const name of Object.keys(unknown))
    expect(grants(unknown, { [name]: { b: 2, constructor: 3 } })).toEqual({
      [name]: {
        b: { constraint_type: "exact", value: 2 },
        constructor: { constraint_type: "exact", value: 3 },
      },
    });
});

test("names such as __proto__ are ordinary", () => {
  const tools: Record<string, object> = Object.fromEntries([["__proto__", {}]]);
  const allow = Object.fromEntries([["__proto__", Object.fromEntries([["__proto__", 1]])]]);
  expect(Object.keys(grants(tools, allow as never))).toEqual(["__proto__"]);
});

test.each<[string, () => AatTools]>([
  ["a tool that is not there", () => grants(ai as Record<string, object>, { sendMail: true })],
  ["an inherited name", () => grants({} as Record<string, object>, { toString: true } as never)],
  ["an empty map, which would mean any arguments", () => grants(ai, { send_mail: {} as never })],
  ["no decision", () => grants(ai, { ask: false as never })],
  ["a bare constraint", () => grants(ai, { ask: { q: { constraint_type: "wildcard" } as never } })],
  ["an object", () => grants(ai, { ask: { q: {} as never } })],
  ["an empty list", () => grants(ai, { ask: { q: [] } })],
  ["a star that is not any", () => grants(ai, { ask: { q: "a", "*": is.oneOf("a") as never } })],
  ["a number that JSON does not have", () => grants(ai, { ask: { q: Number.NaN as never } })],
])("refuses %s", (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: "malformed_grant" }) as DelegationError);
});

test.each<[string, () => unknown]>([
  ["bounds upside down", () => is.between(2, 1)],
  ["a bound that is no number", () => is.atMost("3" as never)],
  ["an infinite bound", () => is.atMost(Number.NaN)],
  ["no values", () => is.oneOf()],
  ["no rules", () => is.all()],
  ["no alternatives", () => is.either()],
  ["an empty prefix", () => is.prefix("")],
  ["a folder with ..", () => is.under("/a/../b")],
  ["an empty folder", () => is.under("")],
  ["a wildcard domain", () => is.email("@*.example.com")],
  ["no address", () => is.email("example.com")],
  ["a list of addresses", () => is.email("a@x.test,b@x.test")],
  ["a base with user info", () => is.url("https://a@h.test")],
  ["a base without a scheme", () => is.url("h.test")],
  ["a star before one label", () => is.url("https://*.com")],
  ["a folder with an escape", () => is.under("/a%20b")],
  ["an amount that is no decimal", () => is.decimal({ max: "1e3" })],
  ["an amount that is a number", () => is.decimal({ max: 5 as never })],
  ["amounts upside down", () => is.decimal({ min: "2", max: "1.99" })],
  ["a bound that does not exist", () => is.decimal({ most: "1" } as never)],
])("a rule that is not clear is refused where it is written: %s", (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: "malformed_grant" }) as DelegationError);
});

test("rules are values: frozen, and normal whatever the spelling", () => {
  expect(is.under("/data/").constraint).toEqual({ constraint_type: "path", under: "/data" });
  expect(is.under("/").constraint).toEqual({ constraint_type: "path", under: "/" });
  expect(is.email("Bob@EXAMPLE.com").constraint).toEqual({
    constraint_type: "email",
    address: "Bob@example.com",
  });
  expect(is.url("HTTPS://H.test:443/v1/").constraint).toEqual({
    constraint_type: "url",
    base: "https://h.test/v1",
  });
  expect(is.url("https://*.H.test/").constraint).toEqual({
    constraint_type: "url",
    base: "https://*.h.test",
  });
  expect(is.decimal({ min: "0", max: "12.50" }).constraint).toEqual({
    constraint_type: "decimal",
    min: "0",
    max: "12.50",
  });
  expect(is.decimal({}).constraint).toEqual({ constraint_type: "decimal" });
  expect([is, is.any, is.any.constraint].map(Object.isFrozen)).toEqual([true, true, true]);
});
