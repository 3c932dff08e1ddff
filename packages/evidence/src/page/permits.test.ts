import { expect, test } from "vitest";
import type { EvidenceDelegation } from "../report.ts";
import { permits } from "./permits.ts";

type Token = NonNullable<EvidenceDelegation["token"]>;

/** As a reader sees it, an item a line. */
function shown(told: Partial<Token>): string[] {
  const token = { tools: {}, ...told } as Token;
  const text = permits(token)
    .text.replaceAll(/<\/li>/g, "\n")
    .replaceAll(/<[^>]*>/g, "");
  return text
    .replaceAll("&quot;", '"')
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}

test("every kind of rule is told in words, or as it stands in the token", () => {
  const rules = {
    a: { constraint_type: "wildcard" },
    b: { constraint_type: "exact", value: 5, optional: true },
    c: { constraint_type: "one_of", values: ["x", "y"] },
    d: { constraint_type: "not_one_of", excluded: ["z"] },
    e: { constraint_type: "subset", allowed: ["x"] },
    f: { constraint_type: "range", min: 1, max: 2 },
    g: { constraint_type: "range", max: 2 },
    h: { constraint_type: "decimal", min: "0.5" },
    i: { constraint_type: "prefix", prefix: "DE" },
    j: { constraint_type: "email", domain: "example.com" },
    k: { constraint_type: "email", address: "bob@example.com" },
    l: { constraint_type: "path", under: "/notes" },
    m: { constraint_type: "url", base: "https://host/p" },
    n: { constraint_type: "range", min: 1, min_inclusive: false },
    o: { constraint_type: "contains", required: ["x"] },
  };
  const [line] = shown({ tools: { pay: rules } });
  expect(line!.replace(/^pay: /, "").split("; ")).toEqual([
    "a is anything",
    "b is 5 or absent",
    'c is one of ["x","y"]',
    'd is none of ["z"]',
    'e is a list of nothing but ["x"]',
    "f is 1 to 2",
    "g is at most 2",
    'h is at least "0.5"',
    'i is text that begins with "DE"',
    'j is an address of "example.com"',
    'k is "bob@example.com"',
    'l is a path below "/notes"',
    'm is a URL at or below "https://host/p"',
    'n is {"constraint_type":"range","min":1,"min_inclusive":false}',
    'o is {"constraint_type":"contains","required":["x"]}',
  ]);
  expect(shown({ tools: { any: {}, rest: { "*": { constraint_type: "wildcard" } } } })).toEqual([
    "any: any other is anything",
    "rest: any other is anything",
  ]);
});

test("what restricts all of it is told, too", () => {
  expect(shown({ restrictions: { workspace: "acme", limits: { subtree: { calls: 3 } } } })).toEqual([
    'nothing outside of the workspace: "acme"',
    'limits: {"subtree":{"calls":3}}',
  ]);
});

test("what somebody else has written into a rule is text, and cannot hide what stands after it", () => {
  const { text } = permits({
    tools: { "<b>": { "<i>": { constraint_type: "exact", value: "\u202e</code><script>" } } },
  } as unknown as Token);
  expect(text).not.toMatch(/<(?:b|i|script)>|\u202e/);
  expect(text).toContain("\\u{202e}");
});
