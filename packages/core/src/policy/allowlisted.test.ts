import { grants, is } from "@behest/delegation";
import { expect, test } from "vitest";
import { allowlisted } from "./allowlisted.ts";

const tools = { get: {} };
const map = (rules: object): Parameters<typeof allowlisted>[0] =>
  grants(tools, { get: rules as never })["get"] as never;

test.for([
  [{ url: is.any }, false],
  [{ url: is.prefix("https://") }, false],
  [{ url: is.prefix("https://example.com/") }, true],
  [{ url: is.url("https://example.com/") }, true],
  [{ url: is.oneOf("a", "b") }, true],
  [{ url: "a" }, true],
] as const)("an argument is held to an allow-list, or is not: %#", ([rules, held]) => {
  expect(allowlisted(map(rules), ["url"], { url: "a" })).toBe(held);
  expect(allowlisted(map(rules), undefined, { url: "a" })).toBe(held);
});

const raw = (constraint: object): Parameters<typeof allowlisted>[0] => ({ url: constraint as never });
test.for([
  [{ constraint_type: "not_one_of", excluded: ["a"] }, false],
  [{ constraint_type: "contains", required: ["a"] }, false],
  [{ constraint_type: "prefix", prefix: "" }, false],
  [{ constraint_type: "prefix", prefix: "https:" }, false],
  [{ constraint_type: "prefix", prefix: "//" }, false],
  [{ constraint_type: "prefix", prefix: "www.example.com" }, false],
  [{ constraint_type: "prefix", prefix: "www.example.com/" }, true],
  [{ constraint_type: "prefix", prefix: "//example.com/" }, true],
  [{ constraint_type: "path", under: "/" }, false],
  [{ constraint_type: "path", under: "/notes" }, true],
  [{ constraint_type: "range" }, false],
  [{ constraint_type: "range", max: 5 }, true],
  [{ constraint_type: "decimal" }, false],
  [{ constraint_type: "all", constraints: [] }, false],
  [{ constraint_type: "any", constraints: [] }, false],
  [
    {
      constraint_type: "all",
      constraints: [{ constraint_type: "wildcard" }, { constraint_type: "exact", value: "a" }],
    },
    true,
  ],
  [
    {
      constraint_type: "any",
      constraints: [{ constraint_type: "wildcard" }, { constraint_type: "exact", value: "a" }],
    },
    false,
  ],
] as const)("what says only what it may not be is no allow-list: %j", ([constraint, held]) => {
  expect(allowlisted(raw(constraint), ["url"], { url: "a" })).toBe(held);
});

test("each argument that steers has to be held, and what is not named is not", () => {
  const held = map({ url: "a", body: is.any });
  expect(allowlisted(held, ["url"], { url: "a", body: "x" })).toBe(true);
  expect(allowlisted(held, undefined, { url: "a", body: "x" })).toBe(false);
  expect(allowlisted(held, undefined, { url: "a" })).toBe(true);
  expect(allowlisted(held, ["url", "body"], { url: "a" })).toBe(true);
  expect(allowlisted(held, [], { body: "x" })).toBe(true);
  expect(allowlisted({}, ["url"], { url: "a" })).toBe(false);
  expect(allowlisted({ "*": { constraint_type: "exact", value: "a" } }, undefined, { "*": "a" })).toBe(false);
  expect(allowlisted(undefined, undefined, { url: "a" })).toBe(false);
  expect(allowlisted(held, undefined, JSON.parse('{"__proto__":"x"}') as never)).toBe(false);
  expect(allowlisted(held, undefined, "bare")).toBe(false);
});

test("a profile that names only what is not given, perhaps misspelt, makes nothing harmless", () => {
  const held = map({ url: "a", body: is.any });
  expect(allowlisted(held, ["ulr"], { url: "a", body: "x" })).toBe(false);
  expect(allowlisted(held, ["ulr"], { url: "a" })).toBe(true);
});
